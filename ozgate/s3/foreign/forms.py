"""PostObject: a browser's form whose file becomes a key of another system; :mod:`ozgate.s3.perform.form` has what S3 says of forms."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ...values import NO_PRECONDITION
from ..formbody import Form, receive_file_into
from ..perform.form import post_file
from ..perform.writing import full_checksum
from .keptnames import kept_checksum
from .place import judge
from .writes import begin, described, made_headers

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
    metadata, tags = described(call)
    sums = await receive_file_into(
        call,
        form,
        (least, most),
        partial(begin, call, metadata, tags, NO_PRECONDITION),
        lambda sums: kept_checksum(full_checksum(sums)),
    )
    return sums.md5, made_headers(sums.md5, full_checksum(sums))
