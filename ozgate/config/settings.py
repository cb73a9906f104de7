"""Configuration as the rest of ozgate sees it: a frozen :class:`Settings`.

Every knob is declared once, as a field of :class:`Settings`, or of :class:`~ozgate.config.engines.EngineSettings` above it: its key, type, default and doc line.
Keys that Ozone has keep Ozone's names; ours start with ``ozgate.``. Where values come from is in
:mod:`ozgate.config.loading`, how they are written in :mod:`ozgate.config.parsers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import Attribute, field, fields

from ..immutable import frozen
from .engines import EngineSettings
from .knob import knob
from .parsers import (
    address,
    authentication,
    boolean,
    durability,
    duration,
    interval,
    issuers,
    milliseconds,
    mode,
    names,
    networks,
    ownership,
    policy,
    positive,
    region_name,
    size,
    store,
    stores,
    url,
    whole,
)


@frozen(kw_only=True)
class Settings(EngineSettings):
    """Every knob, parsed. Fields are named after what they mean, keys are in their metadata. Those of engines are in the class above."""

    data: str = knob(
        "ozgate.data", "./ozgate-data", "Folder that holds everything ozgate stores."
    )
    http_address: str = knob(
        "ozone.s3g.http-address",
        "127.0.0.1:9878",
        "Host and port of the plain HTTP endpoint; host 0.0.0.0 or [::] for all interfaces.",
        address,
    )
    http_bind_host: str = knob(
        "ozone.s3g.http-bind-host",
        "",
        "Host to listen on instead of the one in ozone.s3g.http-address, whose port stays.",
    )
    http_enabled: bool = knob(
        "ozone.s3g.http.enabled",
        True,
        "Whether the plain HTTP endpoint listens.",
        boolean,
    )
    admin_enabled: bool = knob(
        "ozone.s3g.webadmin.http.enabled",
        True,
        "Whether the admin listener (health, metrics, secrets) has a TCP port; its Unix socket is there in any case.",
        boolean,
    )
    admin_address: str = knob(
        "ozone.s3g.webadmin.http-address",
        "127.0.0.1:19878",
        "Host and port of the admin listener.",
        address,
    )
    admin_bind_host: str = knob(
        "ozone.s3g.webadmin.http-bind-host",
        "",
        "Host to listen on instead of the one in ozone.s3g.webadmin.http-address, whose port stays.",
    )
    prometheus_enabled: bool = knob(
        "hdds.prometheus.endpoint.enabled",
        True,
        "Whether the admin listener serves metrics, as /metrics and /prom.",
        boolean,
    )
    prometheus_token: str = knob(
        "hdds.prometheus.endpoint.token",
        "",
        "Bearer token that lets Prometheus read the metrics without being an administrator.",
        secret=True,
    )
    http_policy: str = knob(
        "ozone.http.policy",
        "HTTP_ONLY",
        "Whether ozone.s3g.http-address listens, ozone.s3g.https-address, or both; with HTTPS_ONLY ozgate.listen takes only ssl: and unix: endpoints.",
        policy,
    )
    https_address: str = knob(
        "ozone.s3g.https-address",
        "127.0.0.1:9879",
        "Host and port of the HTTPS endpoint; host 0.0.0.0 or [::] for all interfaces.",
        address,
    )
    https_bind_host: str = knob(
        "ozone.s3g.https-bind-host",
        "",
        "Host to listen on instead of the one in ozone.s3g.https-address, whose port stays.",
    )
    tls_certificate: str = knob(
        "ozgate.tls.certificate",
        "",
        "PEM file of the HTTPS endpoint's certificate, with those that lead to its issuer after it.",
    )
    tls_key: str = knob(
        "ozgate.tls.key",
        "",
        "PEM file of the certificate's private key; empty: it is in the certificate's file.",
    )
    tls_sni: tuple[str, ...] = knob(
        "ozgate.tls.sni",
        (),
        "Certificates for further host names, comma-separated: NAME=CERTIFICATE:KEY, where NAME may be *.DOMAIN, or a folder of pairs X.crt and X.key, whose names are in them.",
        names,
    )
    tls_need_client: bool = knob(
        "ozone.https.client.need-auth",
        False,
        "Whether HTTPS clients must show a certificate that ozgate.tls.client-ca issued.",
        boolean,
    )
    tls_client_ca: str = knob(
        "ozgate.tls.client-ca",
        "",
        "PEM file of the certificates that issue those of HTTPS clients; clients are asked for one, and need one only with ozone.https.client.need-auth.",
    )
    tls_check_interval: float = knob(
        "ozgate.tls.check-interval",
        10.0,
        "Time between two looks whether files of certificates changed; new ones are used once two looks find them the same.",
        interval,
    )
    listen: tuple[str, ...] = knob(
        "ozgate.listen",
        (),
        "Twisted endpoint descriptions to listen on instead of ozone.s3g.http-address and ozone.s3g.https-address, comma-separated; --listen is the same for one of them and may be repeated.",
        names,
    )
    domain_names: tuple[str, ...] = knob(
        "ozone.s3g.domain.name",
        (),
        "Domains for virtual-host addressing, comma-separated; path style always works.",
        names,
    )
    website_listen: tuple[str, ...] = knob(
        "ozgate.website.listen",
        (),
        "Twisted endpoint descriptions to serve buckets as websites on, comma-separated, such as tcp:8080 or ssl:8443; empty: no websites.",
        names,
    )
    website_domains: tuple[str, ...] = knob(
        "ozgate.website.domain-names",
        (),
        "Domains below which a host name is that of a bucket that is a website, comma-separated; any other host name is itself the bucket's.",
        names,
    )
    volume_name: str = knob(
        "ozone.s3g.volume.name", "s3v", "Volume whose buckets S3 shows."
    )
    block_public_access: bool = knob(
        "ozgate.s3.block-public-access",
        False,
        "Whether all four public access blocks are on for every bucket, whatever each says; else each bucket's own are in force.",
        boolean,
    )
    administrators: tuple[str, ...] = knob(
        "ozone.administrators",
        (),
        "Users who may do everything, comma-separated: Kerberos principals or short names; * for everyone. The user that the service runs as always is one.",
        names,
    )
    administrator_groups: tuple[str, ...] = knob(
        "ozone.administrators.groups",
        (),
        "Groups of the operating system whose members may do everything, comma-separated.",
        names,
    )
    s3_administrators: tuple[str, ...] = knob(
        "ozone.s3.administrators",
        (),
        "Users who may manage the secrets of others, comma-separated; where it and its groups are empty, those of ozone.administrators.",
        names,
    )
    s3_administrator_groups: tuple[str, ...] = knob(
        "ozone.s3.administrators.groups",
        (),
        "Groups of the operating system whose members may manage the secrets of others, comma-separated.",
        names,
    )
    auth_to_local: str = knob(
        "hadoop.security.auth_to_local",
        "DEFAULT",
        "Rules that make short names of Kerberos principals, as Hadoop writes them.",
    )
    master_key: str = knob(
        "ozgate.master-key",
        "master.key",
        "File of the key that secrets are encrypted under, made at the first start; a relative path is inside ozgate.data.",
    )
    secret_http_enabled: bool = knob(
        "ozone.s3g.secret.http.enabled",
        False,
        "Whether secrets can be had over the admin listener's TCP port; over its Unix socket they always can.",
        boolean,
    )
    secret_auth_type: str = knob(
        "ozone.s3g.secret.http.auth.type",
        "kerberos",
        "How who asks for a secret over TCP proves who they are, where ozone.s3g.secret.http.enabled is true: kerberos, and nothing else.",
        authentication,
    )
    http_auth_type: str = knob(
        "ozone.s3g.http.auth.type",
        "simple",
        "How who asks the admin listener over TCP proves who they are: kerberos by SPNEGO, simple not at all.",
        authentication,
    )
    spnego_principal: str = knob(
        "ozone.s3g.http.auth.kerberos.principal",
        "HTTP/_HOST",
        "Kerberos principal of the admin listener; _HOST is the host of ozone.s3g.webadmin.http-address or, where that is no name, this machine's full name; * for every HTTP/ of the keytab.",
    )
    spnego_keytab: str = knob(
        "ozone.s3g.http.auth.kerberos.keytab",
        "/etc/security/keytabs/HTTP.keytab",
        "Keytab file of the admin listener's principal.",
    )
    hadoop_authentication: str = knob(
        "hadoop.security.authentication",
        "simple",
        "How Hadoop's services prove who they are; it is checked, but what asks for Kerberos here is ozone.s3g.http.auth.type.",
        authentication,
    )
    http_kerberos_enabled: bool = knob(
        "ozone.security.http.kerberos.enabled",
        False,
        "Whether Ozone's web pages ask for Kerberos; it is checked, but what asks for it here is ozone.s3g.http.auth.type.",
        boolean,
    )
    http_filter_initializers: tuple[str, ...] = knob(
        "ozone.http.filter.initializers",
        (),
        "Java classes of Ozone's web pages, such as org.apache.hadoop.security.AuthenticationFilterInitializer; there are none here, see ozone.s3g.http.auth.type.",
        names,
    )
    admin_socket_mode: int = knob(
        "ozgate.admin.socket.mode",
        0o600,
        "Mode of admin.sock in ozgate.data: 600 for the service's user, 660 for its group too, 666 for every user of this machine, who then are told apart by the operating system.",
        mode,
    )
    region: str = knob(
        "ozgate.region", "us-east-1", "Region that buckets are in.", region_name
    )
    max_keys: int = knob(
        "ozone.s3g.list.max.keys.limit",
        1000,
        "Most entries in one page of a listing.",
        positive,
    )
    security_enabled: bool = knob(
        "ozone.security.enabled",
        False,
        "Whether signatures are verified; when false, any access key is accepted. Where it is not set, a key pair that is given makes it true.",
        boolean,
    )
    insecure_anywhere: bool = knob(
        "ozgate.insecure.listen.anywhere",
        False,
        "Allow listening beyond loopback although ozone.security.enabled is false, so that anyone who reaches the port reads and writes everything.",
        boolean,
    )
    access_key: str = knob(
        "ozgate.s3.access-key",
        "",
        "Access key of the one static pair, the administrator's (also MINIO_ROOT_USER, AWS_ACCESS_KEY_ID).",
    )
    secret_key: str = knob(
        "ozgate.s3.secret-key",
        "",
        "Secret key of the one static pair, the administrator's (also MINIO_ROOT_PASSWORD, AWS_SECRET_ACCESS_KEY).",
        secret=True,
    )
    oidc_issuers: tuple[tuple[str, str], ...] = knob(
        "ozgate.oidc.issuers",
        (),
        "Issuers of OpenID Connect whose tokens AssumeRoleWithWebIdentity takes, comma-separated: NAME=URL, where the names of their users begin with NAME and a colon; without one the name is oidc.",
        issuers,
    )
    oidc_audiences: tuple[str, ...] = knob(
        "ozgate.oidc.audiences",
        (),
        "Client ids that such tokens have to be for, comma-separated: each token for one of them.",
        names,
    )
    oidc_user_claim: str = knob(
        "ozgate.oidc.user-claim",
        "sub",
        "Claim of such tokens that has the user's name.",
    )
    oidc_policy_claim: str = knob(
        "ozgate.oidc.policy-claim",
        "policy",
        "Claim of such tokens that has the names of the user's policies, as a list or with commas between; a way to it may have dots, such as realm_access.roles.",
    )
    oidc_ca: str = knob(
        "ozgate.oidc.ca",
        "",
        "PEM file of the certificates that issue those of the issuers' servers; empty: those that the system trusts. A relative path is inside ozgate.data.",
    )
    sigv2_presigned: bool = knob(
        "ozgate.s3.sigv2-presigned",
        True,
        "Whether presigned URLs of Signature Version 2, which boto3, aws cli 1 and s3cmd make by default, are accepted.",
        boolean,
    )
    health_on_s3: bool = knob(
        "ozgate.s3.health",
        True,
        "Whether the S3 endpoint answers GET and HEAD of /healthz, /readyz and /minio/health/live, ready and cluster, without a signature and a query, as the admin listener does.",
        boolean,
    )
    new_bucket_ownership: str = knob(
        "ozgate.s3.new-bucket.object-ownership",
        "BucketOwnerEnforced",
        "Who owns what is written to a new bucket that does not say it itself; access control lists count in it unless it is BucketOwnerEnforced.",
        ownership,
    )
    new_bucket_blocked: bool = knob(
        "ozgate.s3.new-bucket.block-public-access",
        True,
        "Whether a new bucket has all four public access blocks on; else it has none.",
        boolean,
    )
    buckets_at_start: tuple[str, ...] = knob(
        "ozgate.s3.buckets",
        (),
        "Buckets to make at start, comma-separated (also S3_BUCKET).",
        names,
    )
    metadata_provider: str = knob(
        "ozgate.metadata",
        "sqlite:metadata.db",
        "URL of the metadata provider; a relative path is inside ozgate.data.",
        url,
    )
    accept_lost_writes: bool = knob(
        "ozgate.metadata.accept-lost-writes",
        False,
        "Start although SQLite's write-ahead log is damaged, so that writes that were answered 200 cannot be read any more, and go on without them; for one start, after a copy of the data folder.",
        boolean,
    )
    blob_provider: str = knob(
        "ozgate.blobs",
        "files:blobs",
        "URL of the blob store that new bytes go to, with a name before it where there are several: NAME=URL; without one the store is called by its scheme. A relative path is inside ozgate.data.",
        store,
    )
    more_blob_providers: tuple[str, ...] = knob(
        "ozgate.blobs.more",
        (),
        "Further blob stores, which bytes are read and removed from, comma-separated, as in ozgate.blobs: under the name that each had when it stood there.",
        stores,
    )
    foreign: str = knob(
        "ozgate.foreign",
        "",
        "URL of another system that has volumes and buckets, which are shown as they are there: ozone: for a cluster of Apache Ozone; empty: none.",
    )
    foreign_volumes: tuple[str, ...] = knob(
        "ozgate.foreign.volumes",
        ("*",),
        "Volumes whose buckets and keys are the other system's, comma-separated; * for every volume.",
        names,
    )
    ozone_home: str = knob(
        "ozgate.ozone.home",
        "",
        "Folder of a distribution of Apache Ozone, whose Java client is used; empty: OZONE_HOME.",
    )
    ozone_classpath: str = knob(
        "ozgate.ozone.classpath",
        "",
        "Class path of Ozone's Java client, or @FILE that holds it, as 'ozgate ozone fetch-client' writes one; empty: that of the distribution.",
    )
    ozone_conf: str = knob(
        "ozgate.ozone.conf",
        "",
        "Folder with the cluster's ozone-site.xml and core-site.xml; empty: OZONE_CONF_DIR, or the folder of the configuration file.",
    )
    ozone_heap: int = knob(
        "ozgate.ozone.heap",
        192 << 20,
        "Bytes that the Java heap of each process may take.",
        size,
    )
    ozone_threads: int = knob(
        "ozgate.ozone.threads",
        32,
        "Calls to the cluster that each process makes at a time; more wait.",
        positive,
    )
    ozone_writers: int = knob(
        "ozgate.ozone.writers",
        32,
        "Keys and parts that each process writes to the cluster at a time, each of which takes a megabyte of Java heap or two; more wait.",
        positive,
    )
    ozone_deadline: float = knob(
        "ozgate.ozone.deadline",
        20.0,
        "Seconds that a call to the cluster may take, after which it is answered 503.",
        interval,
    )
    ozone_principal: str = knob(
        "ozone.s3g.kerberos.principal",
        "",
        "Kerberos principal that the gateway logs in to a cluster as, where that is secure; _HOST is the name of this machine.",
    )
    ozone_keytab: str = knob(
        "ozone.s3g.kerberos.keytab.file",
        "",
        "Keytab of that principal.",
    )
    inline_below: int = knob(
        "ozgate.blobs.inline-below",
        65536,
        "Bodies of at most this many bytes are kept in the metadata row.",
        size,
    )
    verified_for: float = knob(
        "ozgate.blobs.verified-for",
        3600.0,
        "How long bytes of a file are sent without another look at them, after they were held against their checksums; 0s: they are held against them each time.",
        duration,
    )
    durability: str = knob(
        "ozgate.durability",
        "strict",
        "strict: what got a 200 survives a power cut; relaxed: it survives a crash of the service, but a power cut takes the writes of up to the last minute.",
        durability,
    )
    upload_expiry: float = knob(
        "ozone.om.open.mpu.expire.threshold",
        7 * 86400.0,
        "Age at which an unfinished multipart upload aborts by itself.",
        interval,
    )
    upload_expiry_interval: float = knob(
        "ozone.om.open.mpu.cleanup.service.interval",
        3600.0,
        "Time between two searches for expired multipart uploads.",
        interval,
    )
    sweep_interval: float = knob(
        "ozgate.sweep.interval",
        60.0,
        "Time between two rounds of removing bytes that nothing names.",
        interval,
    )
    sweep_delay: float = knob(
        "ozgate.sweep.delay",
        60.0,
        "How long bytes stay after their last name went; a minute at least where ozgate.durability is relaxed.",
        duration,
    )
    scrub_interval: float = knob(
        "ozgate.scrub.interval",
        7 * 86400.0,
        "Time from the beginning of one scrub, which reads everything stored and checks it, to that of the next; 0: only when an administrator asks for it.",
        duration,
    )
    scrub_rate: int = knob(
        "ozgate.scrub.rate",
        50 << 20,
        "Bytes per second that a scrub reads at most; 0 for as many as it can.",
        size,
    )
    header_timeout: float = knob(
        "ozgate.http.header-timeout",
        30.0,
        "Seconds a client has for a request's whole header section.",
        interval,
    )
    idle_timeout: float = knob(
        "hadoop.http.idle_timeout.ms",
        60.0,
        "How long a connection may be idle between requests; a bare number is milliseconds.",
        milliseconds,
    )
    minimum_rate: int = knob(
        "ozgate.http.minimum-rate",
        1024,
        "Bytes per second a body must move at least, over each progress window; 0 turns it off.",
        size,
    )
    progress_window: float = knob(
        "ozgate.http.progress-window",
        20.0,
        "Length of the window over which ozgate.http.minimum-rate is asked.",
        interval,
    )
    uncached_from: int = knob(
        "ozgate.http.uncached-from",
        0,
        "Bytes of an answer from which what was sent of it leaves the page cache: an object larger than memory would drive out what all others need. 0 for half of the machine's memory; say less where the service may use less.",
        size,
    )
    trusted_proxies: tuple[str, ...] = knob(
        "ozgate.http.trusted-proxies",
        (),
        "Networks or addresses of proxies whose X-Forwarded-For is believed, comma-separated, such as 127.0.0.1,10.0.0.0/8; unix for whoever comes over a Unix socket.",
        networks,
    )
    limit_connections: int = knob(
        "ozgate.limit.connections",
        8192,
        "Most open connections of S3 clients and visitors of websites together; 0 for any number. Bounded by the limit of open files, of which each may take two.",
        whole,
    )
    limit_per_address: int = knob(
        "ozgate.limit.connections-per-address",
        2048,
        "Most of them from one address, of global IPv6 addresses from one /64; 0 for any number. A proxy of ozgate.http.trusted-proxies, or before a haproxy: endpoint, has any number: its clients count.",
        whole,
    )
    limit_requests: int = knob(
        "ozgate.limit.requests",
        4096,
        "Most requests that are worked on at once, slow clients' included; 0 for any number.",
        whole,
    )
    limit_inflight: int = knob(
        "ozgate.limit.inflight-bytes",
        512 << 20,
        "Most bytes of request bodies, and of large XML documents that clients have not read yet, in memory; an upload takes up to 1.25 MB, or 3 MB as long as three quarters are free and so is ozgate.blobs.s3.memory, a document its size; 0 for any number.",
        size,
    )
    limit_hashing: int = knob(
        "ozgate.limit.hashing",
        0,
        "Most requests whose bytes the service hashes at once: copies of parts, and copies with another checksum; 0 for as many as there are cores, and at most half of ozgate.threads.",
        whole,
    )
    limit_hashing_user: int = knob(
        "ozgate.limit.hashing-per-user",
        0,
        "Most of them of one user; 0 for half of them, and at least 1.",
        whole,
    )
    limit_hashing_waiting: int = knob(
        "ozgate.limit.hashing-waiting",
        128,
        "Most requests that wait for their turn to be hashed for; 0 for any number.",
        whole,
    )
    max_document: int = knob(
        "ozgate.http.max-document", 8 << 20, "Largest XML request body, in bytes.", size
    )
    max_object: int = knob(
        "ozgate.s3.max-put",
        5 << 30,
        "Largest body of one PutObject or UploadPart, in bytes.",
        size,
    )
    stop_grace: float = knob(
        "ozgate.stop.grace",
        10.0,
        "How long running requests may go on when the service stops; the rest are cut.",
        duration,
    )
    workers: int = knob(
        "ozgate.workers",
        0,
        "Processes that serve clients, the workers; 0: as many as there are cores, and at most 8; 1: that of the service itself and no other.",
        whole,
    )
    threads: int = knob(
        "ozgate.threads", 8, "Threads for digests and file input and output.", positive
    )
    disk_reserve: int = knob(
        "ozgate.disk.reserve",
        32 << 20,
        "Bytes of the disk to keep free: below it nothing more is stored (507), so that deleting still works; 0 turns it off.",
        size,
    )
    access_log: str = knob(
        "ozgate.log.access",
        "",
        "File of the access log; empty: access.log inside ozgate.data; - for none.",
    )
    audit_log: str = knob(
        "ozgate.log.audit",
        "",
        "File of the audit log; empty: s3g-audit-<host>.log inside ozgate.data; - for none.",
    )
    log_max_size: int = knob(
        "ozgate.log.max-size",
        100 << 20,
        "Bytes of the access log, and of the audit log, at which the file is moved to one that ends in .1 and a new one begins; 0: never, as where logrotate does it.",
        size,
    )
    log_keep: int = knob(
        "ozgate.log.keep",
        10,
        "Moved files of each of the two logs that are kept, from .1, the newest, on; the oldest is removed.",
        positive,
    )
    origins: Mapping[str, str] = field(factory=dict, eq=False, repr=False)
    """Where each value that is not the default comes from, by key, for people."""
    secured_by: tuple[str, ...] = field(default=(), eq=False, repr=False)
    """The two variables or keys whose pair switched security on by itself; empty where :attr:`security_enabled` was set, or is off."""
    remarks: tuple[str, ...] = field(default=(), eq=False, repr=False)
    """Lines for people, about what was given and is not taken."""


def knobs() -> tuple[Attribute[Any], ...]:
    """The declarations, in order, those of engines last; ``metadata`` has what :func:`~ozgate.config.knob.knob` was given."""
    every = [each for each in fields(Settings) if "key" in each.metadata]
    last = {each.name for each in fields(EngineSettings)}
    return tuple(sorted(every, key=lambda each: each.name in last))


def by_key(settings: Settings) -> dict[str, Any]:
    """Every value by its key, parsed."""
    return {each.metadata["key"]: getattr(settings, each.name) for each in knobs()}
