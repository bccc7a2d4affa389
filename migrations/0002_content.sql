-- Truth beside the log: content that events name by its hash, and the log lines of steps.
set local role dvt_owner;
set local search_path = dvt;

create table blob (
    sha256 bytea not null,
    bytes bytea not null,
    put_at timestamptz not null default now(), -- of the last put: an orphan is collected some time after it
    constraint blob_pkey primary key (sha256),
    constraint blob_sha256_check check (sha256 = sha256(bytes))
);

create table schema (
    fingerprint bytea not null,
    name text not null, -- the record's full name, e.g. dvt.branch.NodeRenamed
    text text not null, -- the Avro schema as its author wrote it
    created_at timestamptz not null default now(),
    constraint schema_pkey primary key (fingerprint),
    constraint schema_fingerprint_check check (octet_length(fingerprint) = 32)
);

create table artifact (
    artifact_key bytea not null, -- sha256 over everything the artifact is a function of
    compiler text not null,
    created_at timestamptz not null default now(),
    constraint artifact_pkey primary key (artifact_key),
    constraint artifact_key_check check (octet_length(artifact_key) = 32)
);

create table artifact_file (
    artifact_key bytea not null,
    path text not null,
    sha256 bytea not null,
    size bigint not null,
    constraint artifact_file_pkey primary key (artifact_key, path),
    constraint artifact_file_artifact_key_fkey foreign key (artifact_key) references artifact (artifact_key),
    constraint artifact_file_sha256_fkey foreign key (sha256) references blob (sha256)
);
create index artifact_file_sha256_idx on artifact_file (sha256);

create table step_log (
    run_id uuid not null,
    node text not null, -- the step's unique_id
    seq bigint not null, -- from 1, without gap, over all attempts of the step
    attempt integer not null,
    at timestamptz not null,
    level text not null,
    line text not null,
    constraint step_log_pkey primary key (run_id, node, seq)
);

grant select, insert, update (put_at) on blob to dvt_gateway, dvt_projector, dvt_executor, dvt_artifact;
grant select, insert on schema to dvt_gateway, dvt_executor, dvt_artifact;
grant select on schema to dvt_projector, dvt_relay;
grant select, insert on artifact, artifact_file to dvt_artifact;
grant select on artifact, artifact_file to dvt_gateway, dvt_projector, dvt_executor;
grant select, insert on step_log to dvt_executor;
grant select on step_log to dvt_gateway;
reset role;
reset search_path;
