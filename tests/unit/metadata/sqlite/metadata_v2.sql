BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'ozgate','m001_tables','2026-11-22 21:14:13.936675+00:00');
INSERT INTO "_sqlite_migrations" VALUES(2,'ozgate','m002_surface','2026-11-22 21:14:13.941311+00:00');
CREATE TABLE bodies (
        sequence INTEGER PRIMARY KEY,
        body BLOB NOT NULL
    );
INSERT INTO "bodies" VALUES(1,X'626F6479');
INSERT INTO "bodies" VALUES(2,X'6C6F6E67657220626F6479');
INSERT INTO "bodies" VALUES(6,X'31323334353637383930');
CREATE TABLE buckets (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        volume TEXT NOT NULL REFERENCES volumes (name),
        name TEXT NOT NULL,
        owner TEXT NOT NULL,
        created INTEGER NOT NULL,
        region TEXT NOT NULL,
        versioning TEXT NOT NULL,
        source_volume TEXT,
        source_bucket TEXT, quota_bytes INTEGER NOT NULL DEFAULT -1, quota_names INTEGER NOT NULL DEFAULT -1, acls TEXT NOT NULL DEFAULT '', modified INTEGER NOT NULL DEFAULT 0, used_bytes INTEGER NOT NULL DEFAULT 0, used_names INTEGER NOT NULL DEFAULT 0, layout TEXT NOT NULL DEFAULT 'OBJECT_STORE',
        UNIQUE (volume, name)
    );
INSERT INTO "buckets" VALUES(1,'s3v','bucket','testuser',1700000000010,'eu-west-1','Enabled',NULL,NULL,5000,100,'[{"type":"USER","name":"bob","aclScope":"ACCESS","aclList":["READ","LIST"]}]',1700000000010,31,5,'OBJECT_STORE');
INSERT INTO "buckets" VALUES(2,'s3v','link','testuser',1700000000020,'','','vol1','data',-1,-1,'',1700000000020,0,0,'OBJECT_STORE');
INSERT INTO "buckets" VALUES(3,'vol1','data','alice',1700000000030,'','',NULL,NULL,-1,-1,'',1700000000030,50,2,'FILE_SYSTEM_OPTIMIZED');
CREATE TABLE configurations (
        bucket INTEGER NOT NULL REFERENCES buckets (number),
        kind TEXT NOT NULL,
        document BLOB NOT NULL,
        PRIMARY KEY (bucket, kind)
    ) WITHOUT ROWID;
INSERT INTO "configurations" VALUES(1,'policy',X'7B2256657273696F6E223A2022323031322D31302D3137227D');
CREATE TABLE counters (
        name TEXT PRIMARY KEY,
        value INTEGER NOT NULL
    ) WITHOUT ROWID;
INSERT INTO "counters" VALUES('sequence',11);
INSERT INTO "counters" VALUES('time',1700000000000);
CREATE TABLE doomed (
        store TEXT NOT NULL,
        blob TEXT NOT NULL,
        doomed_at INTEGER NOT NULL,
        PRIMARY KEY (store, blob)
    ) WITHOUT ROWID;
INSERT INTO "doomed" VALUES('files','p3',1700000000000);
CREATE TABLE extents (
        owner INTEGER NOT NULL,
        ordinal INTEGER NOT NULL,
        store TEXT NOT NULL,
        blob TEXT NOT NULL,
        blob_length INTEGER NOT NULL,
        blob_crc64nvme INTEGER NOT NULL,
        offset INTEGER NOT NULL,
        length INTEGER NOT NULL,
        PRIMARY KEY (owner, ordinal)
    ) WITHOUT ROWID;
INSERT INTO "extents" VALUES(5,0,'files','c1',10,-1152921504606846975,2,8);
INSERT INTO "extents" VALUES(5,1,'files','c2',10,-1152921504606846975,2,8);
INSERT INTO "extents" VALUES(7,0,'files','p1',10,-1152921504606846975,2,8);
INSERT INTO "extents" VALUES(7,1,'files','p2',10,-1152921504606846975,2,8);
INSERT INTO "extents" VALUES(9,0,'files','p4',10,-1152921504606846975,2,8);
INSERT INTO "extents" VALUES(9,1,'files','p5',10,-1152921504606846975,2,8);
INSERT INTO "extents" VALUES(10,0,'files','z1',10,-1152921504606846975,2,8);
CREATE TABLE leases (
        name TEXT PRIMARY KEY,
        owner TEXT NOT NULL,
        expires INTEGER NOT NULL
    ) WITHOUT ROWID;
INSERT INTO "leases" VALUES('reaper','host',1700000030000);
CREATE TABLE object_parts (
        sequence INTEGER NOT NULL,
        number INTEGER NOT NULL,
        size INTEGER NOT NULL,
        checksum TEXT,
        PRIMARY KEY (sequence, number)
    ) WITHOUT ROWID;
INSERT INTO "object_parts" VALUES(10,1,8,'cccccccccccc');
CREATE TABLE parts (
        upload INTEGER NOT NULL,
        number INTEGER NOT NULL,
        owner INTEGER NOT NULL,
        size INTEGER NOT NULL,
        etag TEXT NOT NULL,
        modified INTEGER NOT NULL,
        checksums TEXT NOT NULL,
        PRIMARY KEY (upload, number)
    ) WITHOUT ROWID;
INSERT INTO "parts" VALUES(1,1,7,16,'00000000000000000000000000000001',1700000000000,'{"CRC64NVME":"AAAAAAAAAAA="}');
INSERT INTO "parts" VALUES(1,2,9,16,'00000000000000000000000000000002',1700000000000,'');
CREATE TABLE secrets (
        access_id TEXT PRIMARY KEY,
        user TEXT NOT NULL,
        sealed BLOB NOT NULL,
        created INTEGER NOT NULL,
        expires INTEGER
    ) WITHOUT ROWID;
INSERT INTO "secrets" VALUES('alice/key','alice',X'007365616C6564FF',1700000000000,NULL);
INSERT INTO "secrets" VALUES('bob','bob',X'7365616C656420746F6F',1700000000005,1700086400000);
CREATE TABLE settings (
        name TEXT PRIMARY KEY,
        value BLOB NOT NULL
    ) WITHOUT ROWID;
INSERT INTO "settings" VALUES('master-key-check',X'76616C7565');
CREATE TABLE uploads (
        number INTEGER PRIMARY KEY,
        bucket INTEGER NOT NULL REFERENCES buckets (number),
        key TEXT NOT NULL,
        upload_id TEXT NOT NULL,
        initiated INTEGER NOT NULL,
        owner TEXT NOT NULL,
        storage_class TEXT NOT NULL,
        checksum_algorithm TEXT NOT NULL,
        checksum_type TEXT NOT NULL,
        is_completed INTEGER NOT NULL,
        completed TEXT NOT NULL,
        completed_parts TEXT NOT NULL,
        tags TEXT NOT NULL,
        headers TEXT NOT NULL,
        metadata TEXT NOT NULL,
        UNIQUE (bucket, key, upload_id)
    );
INSERT INTO "uploads" VALUES(1,3,'big','u1',1700000000000,'testuser','STANDARD','SHA256','COMPOSITE',0,'','','','{"content-type":"image/png"}','');
INSERT INTO "uploads" VALUES(2,3,'z','u2',1700000000000,'testuser','STANDARD','','',1,'{"key":"z","sequence":10,"modified":1700000000000,"size":8,"etag":"ffffffffffffffffffffffffffffffff-1","owner":"","version_id":"null","is_latest":true,"is_delete_marker":false,"storage_class":"STANDARD","headers":{},"metadata":{},"tags":{},"checksum":null,"parts_count":1}','digest','','','');
CREATE TABLE versions (
        bucket INTEGER NOT NULL REFERENCES buckets (number),
        key TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        is_latest INTEGER NOT NULL,
        is_delete_marker INTEGER NOT NULL,
        modified INTEGER NOT NULL,
        size INTEGER NOT NULL,
        etag TEXT NOT NULL,
        owner TEXT NOT NULL,
        storage_class TEXT NOT NULL,
        version_id TEXT NOT NULL,
        checksum_algorithm TEXT NOT NULL,
        checksum_type TEXT NOT NULL,
        checksum_value TEXT NOT NULL,
        parts_count INTEGER NOT NULL,
        tags TEXT NOT NULL,
        headers TEXT NOT NULL,
        metadata TEXT NOT NULL,
        PRIMARY KEY (bucket, key, sequence DESC)
    ) WITHOUT ROWID;
INSERT INTO "versions" VALUES(1,'a',3,1,1,1700000000000,0,'','','STANDARD','v3','','','',0,'','','');
INSERT INTO "versions" VALUES(1,'a',2,0,0,1700000000000,11,'','','STANDARD','v2','CRC32','FULL_OBJECT','AAAAAA==',0,'','','');
INSERT INTO "versions" VALUES(1,'a',1,0,0,1700000000000,4,'eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee','alice','STANDARD','v1','','','',0,'{"k":"v"}','{"content-type":"text/plain"}','{"m":"\u00fc"}');
INSERT INTO "versions" VALUES(1,'bä',4,1,0,1700000000000,0,'','','STANDARD','null','','','',0,'','','');
INSERT INTO "versions" VALUES(1,'c',5,1,0,1700000000000,16,'','','STANDARD_IA','null','','','',0,'','','');
INSERT INTO "versions" VALUES(3,'x',6,1,0,1700000000000,10,'','','STANDARD','null','','','',0,'','','');
INSERT INTO "versions" VALUES(3,'z',10,1,0,1700000000000,8,'ffffffffffffffffffffffffffffffff-1','','STANDARD','null','','','',1,'','','');
CREATE TABLE volumes (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        owner TEXT NOT NULL,
        created INTEGER NOT NULL
    , admin TEXT NOT NULL DEFAULT '', quota_bytes INTEGER NOT NULL DEFAULT -1, quota_names INTEGER NOT NULL DEFAULT -1, acls TEXT NOT NULL DEFAULT '', modified INTEGER NOT NULL DEFAULT 0, used_bytes INTEGER NOT NULL DEFAULT 0, used_names INTEGER NOT NULL DEFAULT 0);
INSERT INTO "volumes" VALUES(1,'s3v','testuser',1700000000000,'om',-1,-1,'[{"type":"WORLD","name":"WORLD","aclScope":"ACCESS","aclList":["ALL"]}]',1700000000000,31,2);
INSERT INTO "volumes" VALUES(2,'vol1','alice',1700000001000,'',1073741824,9,'[{"type":"USER","name":"bob","aclScope":"ACCESS","aclList":["READ","LIST"]},{"type":"GROUP","name":"staff","aclScope":"DEFAULT","aclList":["ALL"]}]',1700000001000,50,1);
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE UNIQUE INDEX current_versions ON versions (
        bucket, key, sequence, modified, size, etag, owner, storage_class,
        version_id, checksum_algorithm, checksum_type, is_latest, is_delete_marker
    ) WHERE is_latest = 1 AND is_delete_marker = 0;
CREATE UNIQUE INDEX named_versions ON versions (bucket, key, version_id)
        WHERE is_latest = 0 OR version_id <> 'null';
CREATE INDEX extents_blob ON extents (blob, store);
CREATE INDEX open_uploads ON uploads (bucket, key, upload_id)
        WHERE is_completed = 0;
CREATE INDEX uploads_initiated ON uploads (initiated);
CREATE INDEX doomed_order ON doomed (doomed_at);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('volumes',2);
INSERT INTO "sqlite_sequence" VALUES('buckets',3);
COMMIT;
PRAGMA user_version = 2;
