"""Links: every operation through them, to any depth; where they lead nowhere; whose they are."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SkipTest

from ozgate.testing.memory_metadata import MemoryTransaction
from ozgate.values import Claim
from ozgate.values.claims import Kind
from tests import elsewhere
from tests.operations.links import THROUGH, LinkTestCase
from tests.operations.past import VOLUME
from tests.operations.rights import BUILT, Asked
from tests.operations.test_table import last_line
from tests.operations.uploads import LARGE, PART, SMALL, etag_of

TAKEN = "BucketAlreadyExists"


class OperationsTests(LinkTestCase):
    """All operations, through links."""

    def test_all(self) -> None:
        """All but those that are about the name itself follow links."""
        left_out = {row.name for row in BUILT} - {row.name for row in THROUGH}
        self.assertEqual(left_out, {"ListBuckets", "CreateBucket", "DeleteBucket"})

    async def test_same(self) -> None:
        """Whatever is asked through links of whatever depth, the source answers, and has what is done."""
        for row in THROUGH:
            asked = self.request_for(row)
            before, _ = self.holds()
            metadata: Any = self.client.gateway.metadata
            expected = await self.send(asked)
            changed, _ = self.holds()
            for link in ("two", "one"):
                metadata.restore(before)
                self.assertEqual(await self.send(self.through(asked, link)), expected)
                self.assertEqual(self.holds()[0].buckets, changed.buckets)
                uploads = [key for _, key, _ in self.holds()[0].uploads]
                self.assertEqual(uploads, [key for _, key, _ in changed.uploads])
                self.assertEqual(
                    self.holds()[0].versions.keys(), changed.versions.keys()
                )
            metadata.restore(before)

    async def test_claims(self) -> None:
        """Who writes by whatever name claims the same, so that one waits for the other."""
        if elsewhere.METADATA:
            raise SkipTest("what is claimed is noted by the provider in memory")
        seen: list[set[Claim]] = []
        claim = MemoryTransaction.claim

        def noting(tx: MemoryTransaction, *claims: Claim) -> bool:
            seen[-1].update(claims)
            return claim(tx, *claims)

        self.patch(MemoryTransaction, "claim", noting)
        for name in ("bucket", "two", "one"):
            seen.append(set())
            answer = await self.ask("PUT", f"/{name}/key", body=b"body")
            self.assertEqual(answer.status, 200)
        claimed = [each for each in seen[0] if each.kind is Kind.KEY]
        self.assertEqual([each.what for each in claimed], ["key"])
        self.assertEqual(seen[0], seen[1])
        self.assertEqual(seen[0], seen[2])

    async def test_nowhere(self) -> None:
        """A link that dangles, or leads into a loop, is no bucket: 404, never anything of ours that failed."""
        boss = await self.issue("boss")
        for link in ("dangling", "astray", "self", "here", "there", "into"):
            # Only an administrator may see that a volume is not there.
            who = boss if link == "astray" else "testuser"
            for row in THROUGH:
                asked = self.through(self.request_for(row), link)
                before = self.holds()
                found = await self.send(asked, who)
                code = None if row.method == "HEAD" else "NoSuchBucket"
                self.assertEqual(found, (404, code), (link, row.name))
                self.assertEqual(self.holds(), before)
            copied = Asked(
                "PUT", "/bucket/copy", {"x-amz-copy-source": f"/{link}/key"}, b""
            )
            self.assertEqual(await self.send(copied, who), (404, "NoSuchBucket"))

    async def test_named_as_asked(self) -> None:
        """Answers name the link, not what it leads to."""
        listed = await self.ask("GET", "/one")
        self.assertEqual(listed.text("Name"), "one")
        parts = await self.ask("GET", f"/one/key?uploadId={self.upload_id}")
        self.assertEqual(parts.text("Bucket"), "one")
        missing = await self.ask("GET", "/dangling")
        self.assertEqual(missing.text("BucketName"), "dangling")
        self.assertNotIn(b"nothing", missing.body)

    async def test_upload(self) -> None:
        """An upload is the source's: begun through one link, sent through another, completed at the source."""
        upload = await self.begin("/one/big")
        listed = await self.ask("GET", "/two?uploads")
        self.assertIn(upload, listed.texts("Upload/UploadId"))
        first = await self.part(upload, 1, PART, "/two/big")
        copied = await self.ask(
            "PUT",
            f"/bucket/big?partNumber=2&uploadId={upload}",
            x_amz_copy_source="/one/key",
        )
        self.assertEqual(copied.status, 200)
        done = [(1, first), (2, copied.text("ETag") or "")]
        completed = await self.complete(upload, done, "/bucket/big")
        self.assertEqual(completed.status, 200)
        again = await self.complete(upload, done, "/one/big")
        self.assertEqual(again.status, 200)
        for bucket in ("one", "two", "bucket"):
            got = await self.get(f"/{bucket}/big")
            self.assertEqual(got.body, PART + LARGE)

    async def test_copies(self) -> None:
        """Copies between two links of one bucket, and between a link and its source, are copies within the bucket."""
        for source, target in (("one", "two"), ("bucket", "one"), ("two", "bucket")):
            copied = await self.ask(
                "PUT", f"/{target}/copy", x_amz_copy_source=f"/{source}/key"
            )
            self.assertEqual(copied.status, 200)
            self.assertEqual((await self.get("/bucket/copy")).body, LARGE)
            await self.ask("DELETE", "/bucket/copy")
        self.assertEqual((await self.used()).names, 1)

    async def test_onto_itself(self) -> None:
        """A copy of an object onto itself by another name is a copy; by one name it must replace something."""
        await self.put(LARGE, x_amz_meta_kept="yes")
        for source, target in (("bucket", "one"), ("one", "bucket"), ("one", "two")):
            copied = await self.ask(
                "PUT", f"/{target}/key", x_amz_copy_source=f"/{source}/key"
            )
            self.assertEqual(copied.status, 200)
            found = await self.get("/bucket/key")
            self.assertEqual(found.headers["x-amz-meta-kept"], "yes")
            self.assertEqual(found.body, LARGE)
        idle = self.ask("PUT", "/one/key", x_amz_copy_source="/one/key")
        await self.refused(idle, 400, "InvalidRequest")
        for source, target in (("bucket", "one"), ("one", "one")):
            replaced = await self.ask(
                "PUT",
                f"/{target}/key",
                x_amz_copy_source=f"/{source}/key",
                x_amz_metadata_directive="REPLACE",
                x_amz_meta_from=source,
            )
            self.assertEqual(replaced.status, 200)
            found = await self.get("/bucket/key")
            self.assertEqual(found.headers["x-amz-meta-from"], source)
            self.assertEqual(found.body, LARGE)
            self.assertEqual(found.headers["etag"], etag_of(LARGE))

    async def test_other_volumes(self) -> None:
        """A name of another volume is not seen without a link; a link may lead out of the volume and back."""
        await self.add_bucket("hidden", "deep")
        await self.refused(self.ask("GET", "/hidden"), 404, "NoSuchBucket")
        await self.refused(self.ask("GET", "/three"), 404, "NoSuchBucket")
        await self.link("shown", "deep/hidden")
        await self.put(SMALL, "/shown/key")
        self.assertEqual((await self.get("/shown/key")).body, SMALL)


class NameTests(LinkTestCase):
    """A link takes a name of its volume, as a bucket does."""

    async def test_removing(self) -> None:
        """A link goes, whatever it leads to, even to a bucket that is not empty; nothing else goes."""
        names = ("one", "two", "dangling", "astray", "self", "here", "there", "into")
        for name in names:
            response = await self.ask("DELETE", f"/{name}")
            self.assertEqual(response.status, 204, name)
            await self.refused(self.ask("DELETE", f"/{name}"), 404, "NoSuchBucket")
        self.assertEqual((await self.get()).body, LARGE)
        self.assertEqual((await self.used()).volume_names, 2)

    async def test_who_removes(self) -> None:
        """Removing a link is for its owner, and for who may remove buckets; not for the owner of the source."""
        await self.link("mine", "bucket", "world::rw", owner="other")
        asked = Asked("DELETE", "/mine", {}, b"")
        await self.check_refused(asked, "testuser")
        await self.check_refused(asked, "somebody")
        await self.check_granted(asked, "other", (204, None))

    async def test_source_goes(self) -> None:
        """A source that goes leaves its links dangling; one that comes again under its name is found by them."""
        await self.link("open", "empty")
        self.assertEqual((await self.ask("HEAD", "/open")).status, 200)
        self.assertEqual((await self.ask("DELETE", "/empty")).status, 204)
        self.assertEqual((await self.ask("HEAD", "/open")).status, 404)
        self.assertEqual((await self.ask("PUT", "/empty")).status, 200)
        self.assertEqual((await self.ask("HEAD", "/open")).status, 200)

    async def test_making(self) -> None:
        """No bucket can be made of a link's name, wherever it leads; who owns the link is told that it is his."""
        for name in ("one", "dangling", "self"):
            await self.refused(
                self.ask("PUT", f"/{name}"), 409, "BucketAlreadyOwnedByYou"
            )
            other = self.client.as_user("other")
            await self.refused(other.request("PUT", f"/{name}"), 409, TAKEN)

    async def test_listed(self) -> None:
        """ListBuckets shows links as buckets, with times of their own, also those that lead nowhere."""
        self.clock.advance(60)
        await self.link("young", "bucket", "user:other:r")
        listed = await self.ask("GET", "/")
        names = listed.texts("Buckets/Bucket/Name")
        links = {"one", "two", "dangling", "astray", "self", "here", "there", "into"}
        self.assertEqual(set(names), links | {"bucket", "empty", "young"})
        times = dict(
            zip(names, listed.texts("Buckets/Bucket/CreationDate"), strict=True)
        )
        self.assertNotEqual(times["young"], times["bucket"])
        seen = await self.client.as_user("other").request("GET", "/")
        self.assertEqual(seen.texts("Buckets/Bucket/Name"), ["young"])

    async def test_listed_for_whom(self) -> None:
        """A link that everyone may follow is listed for its owner, for whom its own list names, and for whom the bucket is."""
        rights = "world::rw"
        await self.link("near", "bucket", rights)
        await self.link("far", "near", rights)
        await self.link("open", "nothing", "world::rwl")
        await self.link("mine", "nothing", rights, owner="other")
        await self.link("granted", "nothing", "group:staff:r")

        async def listed() -> list[str]:
            seen = await self.client.as_user("other").request("GET", "/")
            return seen.texts("Buckets/Bucket/Name")

        self.assertEqual(await listed(), ["granted", "mine", "open"])
        await self.grant("user:other:r")
        self.assertEqual(
            await listed(), ["bucket", "far", "granted", "mine", "near", "open"]
        )
        await self.change("near", acls=())
        self.assertEqual(await listed(), ["bucket", "granted", "mine", "open"])

    async def test_long_chain(self) -> None:
        """A chain has at most 16 links: at the end of a longer one there is no bucket, and nothing looks for it."""
        await self.link("link-1", "bucket")
        for number in range(2, 40):
            await self.link(f"link-{number}", f"link-{number - 1}")
        self.assertEqual((await self.get("/link-16/key")).body, LARGE)
        for number in (17, 39):
            asked = Asked("GET", f"/link-{number}/key", {}, b"")
            self.assertEqual(await self.send(asked), (404, "NoSuchBucket"))
            source = {"x-amz-copy-source": f"/link-{number}/key"}
            copied = Asked("PUT", "/bucket/copy", source, b"")
            self.assertEqual(await self.send(copied), (404, "NoSuchBucket"))


class AuditTests(LinkTestCase):
    """The audit log names what was asked for and where it led."""

    def audited(self) -> dict[str, str]:
        """The parameters of the last line."""
        line = last_line(self.client.audit_log)
        said = line[line.index(" {") + 1 : line.index("} | ret=") + 1]
        parameters: dict[str, str] = json.loads(said)
        return parameters

    async def test_both_names(self) -> None:
        """A link's line has the real bucket as Ozone's lines have it; a bucket's has not."""
        await self.get("/one/key")
        said = self.audited()
        self.assertEqual(said["bucket"], "[one]")
        self.assertEqual(said["sourceVolume"], f"[{VOLUME}]")
        self.assertEqual(said["sourceBucket"], "[bucket]")
        self.assertEqual(said["path"], "[key]")
        await self.put(SMALL, "/two/other")
        self.assertEqual(self.audited()["sourceBucket"], "[bucket]")
        await self.get("/bucket/key")
        self.assertNotIn("sourceBucket", self.audited())

    async def test_parameters(self) -> None:
        """64 parameters of a query are told, and whether there were more; repeated ones together, whether it could be read or not."""
        for target in ("/one/key?a=1", "/one/%zz?a=1"):
            for count in (62, 63, 64, 250):
                more = "".join(f"&{n}={n}" for n in range(count - 1))
                await self.get(f"{target}{more}&a=2")
                said = self.audited()
                told = {name for name in said if name.isdigit()}
                self.assertEqual(told, {str(n) for n in range(min(count - 1, 63))})
                self.assertEqual(said["a"], "[1, 2]" if count < 64 else "[1]")
                self.assertEqual("..." in said, count > 63)

    async def test_failed(self) -> None:
        """What fails in the real bucket, once it is entered, is told with the bucket as well."""
        await self.get("/one/absent")
        self.assertEqual(self.audited()["sourceBucket"], "[bucket]")
        self.assertIn("ret=FAILURE", last_line(self.client.audit_log))
        await self.ask("PUT", "/two/key", SMALL, if_none_match="*")
        self.assertEqual(self.audited()["sourceBucket"], "[bucket]")
        self.assertIn("ret=FAILURE", last_line(self.client.audit_log))

    async def test_refused(self) -> None:
        """What is refused at the end of a link is told as well, and what a link that dangles names."""
        await self.link("open", "bucket", "world::r")
        await self.client.as_user("other").request("GET", "/open/key")
        self.assertEqual(self.audited()["sourceBucket"], "[bucket]")
        self.assertIn("ret=FAILURE", last_line(self.client.audit_log))
        await self.get("/astray/key")
        said = self.audited()
        self.assertEqual(said["sourceVolume"], "[nowhere]")
        self.assertEqual(said["sourceBucket"], "[bucket]")
