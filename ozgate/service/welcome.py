"""What the service prints when it is ready: where it is, and what to paste."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Sequence

from ..config.rootpair import ACCESS_KEY, ANY, SECURITY
from ..config.settings import Settings


def welcome(
    urls: list[str],
    data: str,
    settings: Settings,
    admin_urls: Sequence[str] = (),
    to_trust: str = "",
    is_open: bool = False,
    user_with_key: str = "",
    workers: int = 1,
) -> str:
    """Some lines for a person at a terminal; no secret is in them.

    :param to_trust: path of a certificate that clients of an HTTPS endpoint trust only if they are told to.
    :param is_open: other machines reach it.
    :param user_with_key: the user that runs the service, if that one has a key already, which ``getsecret`` makes no second time.
    :param workers: processes that serve clients.
    """
    url = next((each for each in urls if each.startswith("http")), None)
    lines = [
        *(f"ozgate listens on {each}" for each in urls),
        *(["Other machines reach it by this one's name and addresses"] * is_open),
        *(f"ozgate is administered at {each}" for each in admin_urls),
        f"ozgate keeps its data in {data}",
        *[f"{workers} workers serve clients; --workers N has N do so"] * (workers > 1),
        *_who(data, settings, user_with_key),
        *settings.remarks,
        *(
            [
                "ozgate.durability is relaxed: a power cut may take writes that were answered 200"
            ]
            * (settings.durability == "relaxed")
        ),
    ]
    if url:
        pair = _pair(data, settings, user_with_key)
        lines += _paste(url, pair, settings, to_trust if "https:" in url else "")
    return "\n".join(lines) + "\n"


def program(name: str) -> str:
    """How a program of this installation is called in a shell: by its path, unless its name alone leads to it."""
    installed = os.path.join(os.path.dirname(sys.executable), name)
    found = shutil.which(name)
    if not os.path.exists(installed):
        return name
    if found is not None and os.path.samefile(found, installed):
        return name
    return shlex.quote(installed)


def _who(data: str, settings: Settings, user_with_key: str) -> list[str]:
    if not settings.security_enabled:
        return [
            f"{SECURITY} is false: any access key and secret key are accepted, so only this machine should reach it"
            if not settings.insecure_anywhere
            else f"{SECURITY} is false and ozgate.insecure.listen.anywhere is true: whoever reaches it reads and writes everything"
        ]
    if settings.secured_by:
        return [
            f"Signatures are verified, because {' and '.join(settings.secured_by)} are set: {settings.access_key} is the administrator's access key",
            f"To go without, start it without the two, or with -D {SECURITY}=false",
        ]
    if settings.access_key:
        source = settings.origins.get(ACCESS_KEY, "the configuration")
        return [
            f"Signatures are verified; the administrator's access key is {settings.access_key}, from {source}"
        ]
    if user_with_key:
        return [
            f"Signatures are verified. {user_with_key} has a key, shown when it was made; for another one beside it: {_getsecret(data, '--key NAME')}"
        ]
    return [f"Signatures are verified. {_admitted(settings)} with: {_getsecret(data)}"]


def _admitted(settings: Settings) -> str:
    """Who reaches the socket that gives keys out, by its mode."""
    if settings.admin_socket_mode & 0o006:
        return "Users of this machine get a key of their own"
    if settings.admin_socket_mode & 0o060:
        return "The user that runs it, and each of its group, get a key of their own"
    return "The user that runs it gets a key"


def _getsecret(data: str, *options: str) -> str:
    words = [program("ozgate"), "s3 getsecret --export", *options]
    return f"{' '.join(words)} --data {shlex.quote(data)}"


def _pair(data: str, settings: Settings, user_with_key: str) -> str:
    """A line that sets the pair in a shell."""
    if not settings.security_enabled:
        return _exported(ANY, ANY)
    if settings.access_key:
        return _exported(settings.access_key, "its secret key, which is not shown here")
    if user_with_key:
        return _exported(user_with_key, "its secret key, which was shown once")
    return f'eval "$({_getsecret(data)})"'


def _exported(access_key: str, secret_key: str) -> str:
    """Both in quotes, whatever is in them."""
    one, other = (
        "'" + text.replace("'", "'\\''") + "'" for text in (access_key, secret_key)
    )
    return f"export AWS_ACCESS_KEY_ID={one} AWS_SECRET_ACCESS_KEY={other}"


def _paste(url: str, pair: str, settings: Settings, to_trust: str) -> list[str]:
    # A bucket of the days when anybody was let in belongs to no user.
    bucket = "mine" if settings.security_enabled else "first"
    trust = [f"  export AWS_CA_BUNDLE={shlex.quote(to_trust)}"] if to_trust else []
    return [
        "",
        "Try it with the AWS CLI:",
        "",
        f"  {pair}",
        f"  export AWS_DEFAULT_REGION={settings.region}",
        f"  export AWS_ENDPOINT_URL={url}",
        *trust,
        f"  aws s3 mb s3://{bucket}",
        f"  echo world | aws s3 cp - s3://{bucket}/hello",
        f"  aws s3 ls s3://{bucket}/",
        "",
        "or, with the same environment, boto3:",
        "",
        "  import boto3",
        f"  s3 = boto3.client('s3', endpoint_url='{url}')",
        f"  s3.put_object(Bucket='{bucket}', Key='hello', Body=b'world\\n')",
        f"  print(s3.get_object(Bucket='{bucket}', Key='hello')['Body'].read())",
        "",
    ]
