"""The admin listener: commands with arguments in JSON, ``/secret``, pages; an answer that was foreseen to each.

An input is made as those of :mod:`tests.fuzz.operation`.
"""

from __future__ import annotations

import json

from tests.fuzz.judging import Answer
from tests.fuzz.operation import MOST, framed
from tests.fuzz.running import fuzz
from tests.fuzz.sites import World

_JSON = b"\ncontent-type: application/json\n\n"
SEEDS = (
    b'POST /ozgate/v1/create_volume%b{"volume": "v"}\n---\nPOST /ozgate/v1/list_volumes%b{}'
    % (_JSON, _JSON),
    b'POST /ozgate/v1/create_bucket%b{"volume": "s3v", "bucket": "new"}\n---\nPOST /ozgate/v1/info_bucket%b{"volume": "s3v", "bucket": "new"}'
    % (_JSON, _JSON),
    b'POST /ozgate/v1/add_acl%b{"volume": "s3v", "bucket": "bucket", "acls": ["user:alice:rw"]}\n---\n'
    b'POST /ozgate/v1/get_acl%b{"volume": "s3v", "bucket": "bucket"}' % (_JSON, _JSON),
    b'POST /ozgate/v1/list_keys%b{"volume": "s3v", "bucket": "bucket", "prefix": ""}\n---\n'
    b'POST /ozgate/v1/get_key%b{"volume": "s3v", "bucket": "bucket", "key": "key"}'
    % (_JSON, _JSON),
    b"POST /ozgate/v1/put_key?volume=s3v&bucket=bucket&key=k\ncontent-type: application/octet-stream\n\nabc",
    b'POST /ozgate/v1/set_bucket_quota%b{"volume": "s3v", "bucket": "bucket", "space": "5GB", "count": 3}'
    % _JSON,
    b"PUT /secret/alice?ttl=1h\n\n---\nDELETE /secret/alice\n\n---\nPUT /secret\n\n---\nPOST /ozgate/v1/list_secrets%b{}"
    % _JSON,
    b"GET /metrics\n\n---\nGET /conf?name=ozgate.data\naccept: application/xml\n\n---\nGET /healthz\n\n---\nGET /readyz\n\n---\nGET /\n\n---\nPOST /reload\n\n",
)
WORDS = (
    *(b"\n---\n", b"POST /ozgate/v1/", _JSON, b'{"', b'": "', b'"}', b", ", b"null"),
    *(
        b"create_volume",
        b"info_volume",
        b"list_volumes",
        b"update_volume",
        b"delete_volume",
    ),
    *(
        b"create_bucket",
        b"link_bucket",
        b"info_bucket",
        b"list_buckets",
        b"delete_bucket",
    ),
    *(
        b"set_volume_quota",
        b"set_acl",
        b"remove_acl",
        b"list_keys",
        b"info_key",
        b"delete_key",
    ),
    *(b"whoami", b"get_secret", b"set_secret", b"revoke_secret", b"volume", b"bucket"),
    *(
        b"key",
        b"user",
        b"acls",
        b"owner",
        b"\\ud800",
        b"\\u0000",
        b"1e999",
        b"s3v",
        b"-1",
    ),
    *(
        b"PUT /secret/",
        b"GET /conf",
        b"GET /metrics",
        b"?ttl=",
        b"?key=",
        b"%2F",
        b"%FF",
    ),
)
WORLD = World(secure=False)


def one_input(data: bytes) -> None:
    """Make the requests one after the other."""
    for asked in data.split(b"\n---\n")[:MOST]:
        for answer in WORLD.ask(WORLD.admin, [framed(asked)]):
            _check(answer)
    WORLD.renew()


def _check(answer: Answer) -> None:
    """It was foreseen; and what is called JSON is."""
    assert answer.status != 500, answer
    if answer.body and answer.fields.get(b"content-type") == b"application/json":
        json.loads(answer.body)


if __name__ == "__main__":
    fuzz("admin")
