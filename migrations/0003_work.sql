-- What the services need to work together. All of it can be rebuilt from the log, or starts empty.
set local role dvt_owner;
set local search_path = dvt;

create table checkpoint (
    consumer text not null,
    topic text not null,
    partition smallint not null,
    position bigint not null,
    moved_at timestamptz not null default now(),
    constraint checkpoint_pkey primary key (consumer, topic, partition)
) with (fillfactor = 50);

create table parked_stream (
    consumer text not null,
    stream_id uuid not null,
    topic text not null,
    partition smallint not null,
    position bigint not null, -- of the first event that could not be applied
    error text not null,
    parked_at timestamptz not null default now(),
    constraint parked_stream_pkey primary key (consumer, stream_id)
);
create index parked_stream_consumer_topic_partition_idx on parked_stream (consumer, topic, partition);

create table lease (
    name text not null,
    holder uuid not null,
    epoch bigint not null, -- grows with each change of the holder
    expires_at timestamptz not null, -- on this database's clock
    constraint lease_pkey primary key (name)
) with (fillfactor = 50);

create table registry_id (
    registry text not null,
    fingerprint bytea not null,
    id integer not null,
    constraint registry_id_pkey primary key (registry, fingerprint)
);

create table relay_cursor (
    cluster_id text not null, -- of the Kafka cluster: another one starts from nothing
    topic text not null,
    partition smallint not null,
    position bigint not null,
    epoch bigint not null, -- of the lease under which it was moved last
    constraint relay_cursor_pkey primary key (cluster_id, topic, partition)
) with (fillfactor = 50);

create table snapshot (
    stream_id uuid not null,
    version bigint not null,
    tree_sha256 bytea not null,
    created_at timestamptz not null default now(),
    constraint snapshot_pkey primary key (stream_id, version),
    constraint snapshot_tree_sha256_fkey foreign key (tree_sha256) references blob (sha256)
);

create table job (
    job_id uuid not null, -- the requesting event's id
    kind text not null,
    lane text, -- null: runs beside all others; else one job of a lane runs at a time, oldest first
    project_id uuid not null,
    stream_id uuid not null,
    position bigint not null, -- of the requesting event
    request bytea not null,
    state text not null default 'waiting',
    attempt integer not null default 0,
    worker uuid, -- null: nobody has claimed it
    due_at timestamptz not null default now(), -- waiting: not before; claimed: the end of the lease
    error text, -- null: no attempt failed
    created_at timestamptz not null default now(),
    finished_at timestamptz, -- null: not done
    constraint job_pkey primary key (job_id),
    constraint job_kind_check check (kind in ('compile', 'publish', 'run')),
    constraint job_state_check check (state in ('waiting', 'claimed', 'done')),
    constraint job_worker_check check ((state = 'claimed') = (worker is not null))
);
create index job_kind_due_at_idx on job (kind, due_at) where state <> 'done';
create index job_lane_position_idx on job (lane, position) where state <> 'done';
create unique index job_lane_claimed_key on job (lane) where state = 'claimed';
create index job_stream_id_idx on job (stream_id);

create table preview (
    preview_id uuid not null,
    project_id uuid not null,
    request bytea not null,
    state text not null default 'waiting',
    result bytea, -- null: not done
    due_at timestamptz not null default now(), -- claimed: until when the worker may take
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    constraint preview_pkey primary key (preview_id),
    constraint preview_state_check check (state in ('waiting', 'claimed', 'done')),
    constraint preview_result_check check ((state = 'done') = (result is not null))
);
create index preview_created_at_idx on preview (created_at) where state <> 'done';
create index preview_expires_at_idx on preview (expires_at);

grant select, insert, update on checkpoint to dvt_gateway, dvt_projector, dvt_executor, dvt_artifact;
grant select on checkpoint to dvt_relay;
grant select, insert, delete on parked_stream to dvt_gateway, dvt_projector, dvt_executor, dvt_artifact;
grant select, insert, update, delete on lease to dvt_gateway, dvt_projector, dvt_executor, dvt_artifact, dvt_relay;
grant select, insert, update, delete on registry_id, relay_cursor to dvt_relay;
grant select on relay_cursor to dvt_gateway;
grant select, insert, delete on snapshot to dvt_gateway, dvt_projector, dvt_artifact, dvt_executor;
grant select, insert, update on job to dvt_artifact, dvt_executor;
grant select on job to dvt_gateway;
grant select, insert, delete on preview to dvt_gateway;
grant select, update, delete on preview to dvt_executor;
reset role;
reset search_path;
