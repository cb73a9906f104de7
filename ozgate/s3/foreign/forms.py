"""PostObject: a browser's form whose file becomes a key of another system; :mod:`ozgate.s3.perform.form` has what S3 says of forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..formbody import Form, receive_file_into
from ..perform.form import post_file
from .place import judge
from .writes import KeyTarget, described, made_headers

if TYPE_CHECKING:
    from ..call import Call
    from ..reply import Reply


async def post_object(call: Call) -> Reply:
    """Store the file of a form."""
    return await post_file(call, _keep)


async def _keep(
    call: Call, form: Form, least: int, most: int
) -> tuple[str, list[tuple[str, str]]]:
    # Who asks for which key is known by now.
    await judge(call)
    target = KeyTarget(call, *described(call))
    sums = await receive_file_into(call, form, least, most, target)
    return sums.md5, made_headers(sums)
