"""Commands that Ozone's shell and ``ozgate sh`` run side by side. ``{v}`` is the volume of one of both, ``{user}`` a user of no other run; the rest are files."""

VOLUMES = """
volume create /{v}
volume create /{v}
volume create {v}
volume create /{v}-q --space-quota 10GB --namespace-quota 5
volume create /{v}-u -u alice
volume create /{v}_Bad
volume create /ab
--verbose volume create /{v}-v
volume info /{v}
volume info {v}-u
volume info /{v}-q
volume info o3://{om}/{v}
volume info /{v}-nope
volume ls -l 0
volume update --user bob /{v}-u
volume update --user bob /{v}-nope
volume setquota /{v}
volume setquota /{v} --space-quota 1.5GB
volume setquota /{v} --space-quota 0
volume setquota /{v} --namespace-quota 0
volume setquota /{v} --namespace-quota many
volume setquota /{v} --space-quota 5GB --namespace-quota 30
volume info /{v}
volume setquota /{v} --namespace-quota 40
volume info /{v}
volume setquota /{v}-nope --space-quota 5GB
volume clrquota /{v}
volume clrquota /{v} --space-quota
volume info /{v}
volume clrquota /{v} --namespace-quota
volume info /{v}
volume delete /{v}-nope
volume delete /{v}-v
volume info /{v}-v
"""

LISTS = """
volume list -p {v}
volume list / -p {v} -l 2
volume list -p {v} -s {v}-q
volume list -u bob -p {v}
volume list -u nobody-here
volume list -a -p {v}
"""
"""The volumes of a user come in the order of hashes of their names: so those of both can only be compared where they are the same."""

ACLS = """
volume create /{v}
volume getacl /{v}
volume addacl /{v} -a user:alice:rw
volume addacl /{v} -a user:alice:rw
volume addacl /{v} -a user:alice:a,group:staff:l[DEFAULT],world::r
volume removeacl /{v} -a user:alice:r
volume removeacl /{v} -a user:nobody:r
volume getacl /{v}
volume setacl /{v} -a user:root:a,user:bob:r,user:bob:w
volume getacl /{v}
volume getacl /{v}-nope
bucket create /{v}/real
bucket link /{v}/real /{v}/link
bucket link /{v}/gone /{v}/dangling
bucket getacl /{v}/real
bucket getacl /{v}/link
bucket getacl /{v}/link --source
bucket getacl /{v}/dangling --source
bucket addacl /{v}/link -a user:alice:rw
bucket getacl /{v}/real
bucket removeacl /{v}/real -a user:alice:w
bucket getacl /{v}/link --source
bucket setacl /{v}/real -a user:root:a,user:alice:w
bucket getacl /{v}/real
bucket getacl /{v}/nope
bucket addacl /{v}/nope -a user:alice:rw
key put /{v}/real/key {small}
key getacl /{v}/real/key
key addacl /{v}/real/key -a user:alice:rw
key addacl /{v}/link/key -a user:alice:rw
key removeacl /{v}/real/key -a user:alice:w
key getacl /{v}/link/key
key setacl /{v}/real/key -a user:root:a,user:bob:r
key getacl /{v}/real/key
key getacl /{v}/real/nope
key addacl /{v}/real/nope -a user:bob:r
"""

BUCKETS = """
volume create /{v}
volume create /{v}-q --space-quota 10GB --namespace-quota 5
bucket create /{v}/plain
bucket create /{v}/plain
bucket create /{v}/tree -l fso
bucket create /{v}/flat -l obs
bucket create /{v}/old -l LEGACY
bucket create /{v}/coded -t EC -r rs-3-2-1024k -l obs
bucket create /{v}/one -t RATIS -r ONE
bucket create /{v}/three --type RATIS --replication THREE
bucket create /{v}/bad -r THREE
bucket create /{v}/bad -t RATIS -r SEVEN
bucket create /{v}/full --space-quota 1GB --namespace-quota 10 -u alice
bucket create /{v}/secret -g
bucket create /{v}/enc -k nokey
bucket create /{v}/UP
bucket create /{v}/x
bucket create /{v}-nope/bucket
bucket create /{v}-q/no-quota
bucket create /{v}-q/more --space-quota 20GB
bucket create /{v}-q/two --space-quota 2GB
--verbose bucket create /{v}/told
bucket info /{v}/plain
bucket info /{v}/tree
bucket info /{v}/flat
bucket info /{v}/old
bucket info /{v}/coded
bucket info /{v}/one
bucket info /{v}/three
bucket info /{v}/full
bucket info /{v}/secret
bucket info /{v}/nope
bucket info /{v}-nope/nope
bucket link /{v}/plain /{v}/link
bucket link /{v}/gone /{v}/dangling
bucket link /{v}/gone /{v}/dangling
bucket link /{v}/plain /{v}-nope/link
bucket link /{v}/plain /{v}/LINK
bucket link /{v}/loop2 /{v}/loop1
bucket link /{v}/loop1 /{v}/loop2
--verbose bucket link /{v}/plain /{v}/told-link
bucket info /{v}/link
bucket info /{v}/dangling
bucket info /{v}/loop1
bucket list /{v} -l 3
bucket list /{v} -p l
bucket list /{v} -s one
bucket list /{v} -a
bucket list /{v} --has-snapshot
bucket list /{v}-nope
bucket ls {v}-q
bucket update /{v}/plain -u carol
bucket update /{v}/link -u carol
bucket update /{v}/nope -u carol
bucket setquota /{v}/plain
bucket setquota /{v}/plain --space-quota 1GB --namespace-quota 7
bucket info /{v}/plain
bucket setquota /{v}/link --space-quota 1GB
bucket setquota /{v}/nope --space-quota 1GB
bucket setquota /{v}-q/two --space-quota 11GB
bucket clrquota /{v}/plain --space-quota --namespace-quota
bucket info /{v}/plain
bucket clrquota /{v}-q/two --space-quota
bucket clrquota /{v}/plain
bucket delete /{v}/nope
bucket delete /{v}/dangling
bucket delete /{v}/plain
volume delete /{v}
"""

KEYS = """
volume create /{v}
bucket create /{v}/flat -l obs
bucket create /{v}/tree -l fso
bucket link /{v}/flat /{v}/link
key put /{v}/flat/small {small}
key put /{v}/flat/small {small}
key put /{v}/flat/deep/down/large {large} -t RATIS -r ONE
key put /{v}/flat/bad {small} -t RATIS -r FIVE
key put /{v}/flat/none {none}
key put /{v}/tree/deep/down/large {large}
key put /{v}/tree/empty {empty}
key put /{v}/link/through {small}
key put /{v}/nope/key {small}
key put /{v}-nope/nope/key {small}
key list /{v}/flat
key list /{v}/tree
key list /{v}/tree -p deep/
key list /{v}/link -l 1
key list /{v}/link -l 3
key list /{v}/flat -s small
key list /{v}/nope
key info /{v}/nope/nope
key info /{v}/flat/nope
key info /{v}/tree/deep/down
key cat /{v}/flat/small
key cat /{v}/link/small
key cat /{v}/flat/nope
key get /{v}/flat/small {got}
key get /{v}/flat/small {got}
key get -f /{v}/flat/deep/down/large {got}
key get /{v}/flat/nope {got}-nope
key rename /{v}/flat small smaller
key rename /{v}/flat nope smallest
key rename /{v}/flat smaller through
key rename /{v}/tree empty emptier
key list /{v}/tree
key delete /{v}/flat/smaller
key delete /{v}/flat/nope
key delete /{v}/tree/emptier
key delete /{v}/tree/deep
key delete /{v}/nope/nope
bucket delete /{v}/flat
bucket delete -r -y /{v}/flat
bucket delete -r -y /{v}/tree
bucket delete -r -y /{v}/nope
bucket delete -r -y /{v}/link
bucket list /{v}
"""

RECURSIVE = """
volume create /{v}
bucket create /{v}/flat -l obs
key put /{v}/flat/one {small}
key put /{v}/flat/two/three {small}
volume delete /{v}
volume delete -r -y /{v}
volume delete -r -y /{v}
"""

LOOKS = """
volume info /{v}
volume list -p {v}
volume getacl /{v}
bucket info /{v}/flat
bucket info /{v}/tree
bucket list /{v}
bucket getacl /{v}/flat
key info /{v}/flat/deep/down/large
key info /{v}/tree/deep/down/large
key info /{v}/tree/deep
key info /{v}/link/deep/down/large
key list /{v}/flat
key list /{v}/tree
key list /{v}/link -p deep
key cat /{v}/flat/small
"""
"""Commands that are run on the very same volume: what they print is compared as it is."""

SECRETS = """
getsecret -u {user}
getsecret -u {user}
setsecret -u {user} -s short
setsecret -u {user} -s 0123456789abcdefg
setsecret -u {user} -s 0123456789abcdefh -e
revokesecret -y -u {user}
revokesecret -y -u {user}
setsecret -u {user} -s 0123456789abcdefg
get-secret -e -u {user}
revokesecret -y -u {user}
"""
"""Of ``ozone s3``, over a secure cluster."""
