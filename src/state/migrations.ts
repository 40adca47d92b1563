/**
 * The schema, as steps that are never changed once released: a change of schema is a new entry at the end.
 * Times are integers: nanoseconds since the epoch where they are told to users, else milliseconds.
 */
export const migrations: readonly string[] = [
  `
  -- state: facts about this engine (id, created)
  CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

  -- snapshots: layers that are unpacked and complete; folder is the name below layers/
  CREATE TABLE layers (
    diff_id TEXT PRIMARY KEY,
    folder TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;

  -- images: config is the exact text that the id is the digest of
  CREATE TABLE images (
    id TEXT PRIMARY KEY,
    config TEXT NOT NULL,
    parent TEXT NOT NULL DEFAULT '',
    size INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    tagged_at INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  -- images: reference is canonical, docker.io/library/busybox:latest or docker.io/library/busybox@sha256:…
  CREATE TABLE image_references (
    reference TEXT PRIMARY KEY,
    image_id TEXT NOT NULL REFERENCES images (id)
  ) STRICT;
  CREATE INDEX image_references_by_image ON image_references (image_id);

  -- containers: spec is fixed at create (but for update and rename), state changes with its life
  CREATE TABLE containers (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    image_id TEXT NOT NULL,
    spec TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;

  -- volumes
  CREATE TABLE volumes (
    name TEXT PRIMARY KEY,
    driver TEXT NOT NULL,
    labels TEXT NOT NULL,
    options TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;

  -- network: spec is the network's definition; an endpoint is a container's place in it while it runs
  CREATE TABLE networks (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    driver TEXT NOT NULL,
    spec TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE endpoints (
    id TEXT PRIMARY KEY,
    container_id TEXT NOT NULL,
    network_id TEXT NOT NULL REFERENCES networks (id),
    ipv4 TEXT,
    spec TEXT NOT NULL,
    UNIQUE (network_id, ipv4),
    UNIQUE (network_id, container_id)
  ) STRICT;

  -- state: leases keep what an operation in progress needs from being collected
  CREATE TABLE leases (
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    resource TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (id, kind, resource)
  ) STRICT;
  `,
  `
  -- snapshots: bytes of the layer's tar (-1 = not counted yet), and whether its files are known to be on the disk
  ALTER TABLE layers ADD COLUMN tar_size INTEGER NOT NULL DEFAULT -1;
  ALTER TABLE layers ADD COLUMN synced INTEGER NOT NULL DEFAULT 1;
  `,
  `
  -- images: compressed forms of layers, as registries gave or took them, and repositories (canonical names) that have them
  CREATE TABLE layer_blobs (
    diff_id TEXT NOT NULL REFERENCES layers (diff_id) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    size INTEGER NOT NULL,
    media_type TEXT NOT NULL,
    PRIMARY KEY (diff_id, digest)
  ) STRICT;
  CREATE TABLE layer_blob_sources (
    diff_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    repository TEXT NOT NULL,
    PRIMARY KEY (diff_id, digest, repository),
    FOREIGN KEY (diff_id, digest) REFERENCES layer_blobs (diff_id, digest) ON DELETE CASCADE
  ) STRICT;
  -- images: manifests an image was pulled or pushed by, the very bytes as text
  CREATE TABLE image_manifests (
    image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    media_type TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (image_id, digest)
  ) STRICT;
  `,
  `
  -- network: a spec holds a list of subnets of both families; an endpoint has an address of each
  ALTER TABLE endpoints ADD COLUMN ipv6 TEXT;
  CREATE UNIQUE INDEX endpoints_by_ipv6 ON endpoints (network_id, ipv6);
  UPDATE networks SET spec = json_set(
    json_remove(spec, '$.subnet', '$.gateway'),
    '$.subnets',
    CASE WHEN json_extract(spec, '$.subnet') IS NULL THEN json('[]') ELSE json_array(json_object(
      'subnet', json_extract(spec, '$.subnet'), 'gateway', json_extract(spec, '$.gateway'),
      'gatewayTold', json('true'), 'chosen', json('true')
    )) END
  );
  `,
  `
  -- build: results of steps. layer is what the step added to its base; parts (zstd of JSON) is what the key is made of;
  -- family and position find the nearest earlier step to compare with
  CREATE TABLE build_cache (
    key TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    description TEXT NOT NULL,
    parents TEXT NOT NULL,
    layer TEXT NOT NULL,
    parts BLOB NOT NULL,
    family TEXT NOT NULL,
    position TEXT NOT NULL,
    -- the digests of the lists of files that parts names, which are kept beside the database
    files TEXT NOT NULL,
    created TEXT NOT NULL,
    used_at INTEGER NOT NULL,
    uses INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX build_cache_by_family ON build_cache (family, used_at);
  CREATE INDEX build_cache_by_position ON build_cache (position, used_at);

  -- build: folders of RUN --mount=type=cache; variant numbers those of sharing=private
  CREATE TABLE build_cache_mounts (
    folder TEXT PRIMARY KEY,
    id TEXT NOT NULL,
    description TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    uses INTEGER NOT NULL,
    size INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX build_cache_mounts_by_id ON build_cache_mounts (id);

  -- build: digests of what COPY takes from a stack of layers, which never changes
  CREATE TABLE build_digests (
    key TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    matches INTEGER NOT NULL,
    used_at INTEGER NOT NULL
  ) STRICT;

  -- build: what was built, newest last; record is JSON
  CREATE TABLE build_history (
    ref TEXT PRIMARY KEY,
    started_at INTEGER NOT NULL,
    completed_at INTEGER,
    record TEXT NOT NULL
  ) STRICT;
  `,
  `
  -- volumes: the name a volume had while its folder is yet to follow; whether prune leaves it alone
  ALTER TABLE volumes ADD COLUMN moved_from TEXT NOT NULL DEFAULT '';
  ALTER TABLE volumes ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- images: what no prune touches; an image's id, or a canonical reference, which protects whatever it names
  CREATE TABLE image_pins (pin TEXT PRIMARY KEY, created_at INTEGER NOT NULL) STRICT;
  -- images: when a container was last made of an image; written now and then, so a little old
  CREATE TABLE image_uses (image_id TEXT PRIMARY KEY, used_at INTEGER NOT NULL) STRICT;
  `,
  `
  -- build: whether the first of what a COPY named is a folder
  ALTER TABLE build_digests ADD COLUMN folder INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- build: what the steps of a build printed, zstd of JSON; goes with its row of build_history
  CREATE TABLE build_logs (ref TEXT PRIMARY KEY, logs BLOB NOT NULL) STRICT;
  `,
  `
  -- snapshots: CRC-32 of a layer's tar; -1 = it was made before there was one
  ALTER TABLE layers ADD COLUMN tar_checksum INTEGER NOT NULL DEFAULT -1;
  `,
  `
  -- images: how a layer's blob was packed here ("zstd:3"); '' = by somebody else, or nobody noted it
  ALTER TABLE layer_blobs ADD COLUMN made_as TEXT NOT NULL DEFAULT '';
  `,
  `
  -- images: a blob was once noted as a layer's, and by a type, because a build cache said so. What was not packed here is
  -- kept where a manifest that an image was pulled or pushed by has it in that layer's place, and by the type it has there.
  CREATE TEMP TABLE known_blobs AS
    SELECT diff.value AS diff_id, layer.value ->> '$.digest' AS digest, layer.value ->> '$.mediaType' AS media_type
    FROM image_manifests AS manifest
    JOIN images ON images.id = manifest.image_id
    JOIN json_each(iif(json_valid(manifest.content), manifest.content, '{}'), '$.layers') AS layer
    JOIN json_each(iif(json_valid(images.config), images.config, '{}'), '$.rootfs.diff_ids') AS diff ON diff.key = layer.key
    WHERE layer.type = 'object' AND layer.value ->> '$.digest' IS NOT NULL;
  DELETE FROM layer_blobs WHERE made_as = '' AND (diff_id, digest) NOT IN (SELECT diff_id, digest FROM known_blobs);
  UPDATE layer_blobs SET media_type = known_blobs.media_type FROM known_blobs
    WHERE made_as = '' AND layer_blobs.diff_id = known_blobs.diff_id AND layer_blobs.digest = known_blobs.digest
    AND known_blobs.media_type IS NOT NULL;
  DROP TABLE known_blobs;
  `,
];
