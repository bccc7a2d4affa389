-- The event log: the truth. See README.md for who writes and reads each table.

-- Roles belong to the cluster, not to the database: several databases of one cluster share them.
do $$
declare
    v_role text;
    -- From 16 on, whoever makes a role is its member, but may not yet play it.
    v_may_play text := case when current_setting('server_version_num')::integer >= 160000 then 'set' else 'member' end;
begin
    foreach v_role in array array['dvt_owner', 'dvt_gateway', 'dvt_projector', 'dvt_executor', 'dvt_artifact', 'dvt_relay']
    loop
        begin
            execute format('create role %I nologin', v_role);
        exception when duplicate_object or unique_violation then
            null; -- another database of this cluster made it first
        end;
        if not pg_has_role(current_user, v_role, v_may_play) then
            execute format('grant %I to current_user', v_role);
        end if;
    end loop;
end
$$;

create schema dvt authorization dvt_owner;
set local role dvt_owner;
set local search_path = dvt;
grant usage on schema dvt to dvt_gateway, dvt_projector, dvt_executor, dvt_artifact, dvt_relay;

-- Answers the partition of all events of one project (or, without a project, of one stream): the first 8 bytes of
-- its hash as an unsigned big-endian number, modulo 16. The same in every profile for ever.
create function event_partition(p_id uuid) returns smallint
    language sql immutable strict parallel safe
    return (get_byte(sha256(uuid_send(p_id)), 7) & 15)::smallint;

create table event (
    position bigint not null,
    event_id uuid not null,
    category text not null,
    stream_id uuid not null,
    version bigint not null,
    tenant_id uuid not null,
    project_id uuid, -- null: an event of a target, which serves many projects
    topic text not null,
    partition smallint not null,
    partition_prev bigint not null, -- 0: the first event of its topic and partition
    event_type text not null,
    schema_fingerprint bytea not null,
    payload bytea, -- null: erased by law, see erase_payload()
    payload_sha256 bytea not null,
    actor text not null,
    command_id uuid not null,
    correlation_id uuid not null,
    causation_id uuid, -- null: nothing but a person's command caused it
    idempotency_key uuid, -- null: not the first event of its command, or a command that nobody repeats
    request_sha256 bytea, -- null: as idempotency_key
    traceparent text, -- null: the command was not traced
    occurred_at timestamptz not null,
    recorded_at timestamptz not null,
    hash bytea not null,
    constraint event_pkey primary key (position),
    constraint event_event_id_key unique (event_id),
    constraint event_stream_id_version_key unique (stream_id, version),
    constraint event_version_check check (version >= 1),
    constraint event_partition_check check (partition = event_partition(coalesce(project_id, stream_id))),
    constraint event_partition_prev_check check (partition_prev >= 0 and partition_prev < position),
    constraint event_schema_fingerprint_check check (octet_length(schema_fingerprint) = 32),
    constraint event_payload_check check (octet_length(payload) <= 900 * 1024),
    constraint event_request_check check (
        (idempotency_key is null) = (request_sha256 is null) and octet_length(request_sha256) = 32
    )
);

create index event_topic_partition_position_idx on event (topic, partition, position);
create index event_project_id_position_idx on event (project_id, position);
create unique index event_actor_idempotency_key_key on event (actor, idempotency_key) where idempotency_key is not null;

-- Derived from the log: the last version of each stream, and whose turn it is.
create table stream_head (
    stream_id uuid not null,
    category text not null,
    version bigint not null,
    reserved_by uuid, -- null: nobody has the turn
    reserved_until timestamptz, -- null: as reserved_by
    constraint stream_head_pkey primary key (stream_id),
    constraint stream_head_reserved_check check ((reserved_by is null) = (reserved_until is null))
) with (fillfactor = 50);

-- Derived from the log: the last position of each topic and partition.
create table partition_head (
    topic text not null,
    partition smallint not null,
    position bigint not null,
    recorded_at timestamptz not null,
    constraint partition_head_pkey primary key (topic, partition)
) with (fillfactor = 50);

-- The encoding that the chain hashes: each value as u32 big-endian length and bytes; null is length 0xFFFFFFFF.
create function chain_field(p_value bytea) returns bytea
    language sql immutable parallel safe
    return coalesce(int4send(octet_length(p_value)) || p_value, '\xffffffff'::bytea);

create function chain_field(p_value bigint) returns bytea
    language sql immutable parallel safe
    return chain_field(int8send(p_value));

create function chain_field(p_value uuid) returns bytea
    language sql immutable parallel safe
    return chain_field(uuid_send(p_value));

-- Stable, as convert_to() is: Postgres inlines only what promises no more than its body.
create function chain_field(p_value text) returns bytea
    language sql stable parallel safe
    return chain_field(convert_to(p_value, 'UTF8'));

create function chain_field(p_value timestamptz) returns bytea
    language sql immutable parallel safe
    return chain_field((extract(epoch from p_value) * 1000000)::bigint);

-- Answers what an event adds to the chain: its metadata (all columns but payload and hash), then payload_sha256.
create function chain_link(p_event event) returns bytea
    language sql stable parallel safe
    return chain_field(p_event.position)
        || chain_field(p_event.event_id)
        || chain_field(p_event.category)
        || chain_field(p_event.stream_id)
        || chain_field(p_event.version)
        || chain_field(p_event.tenant_id)
        || chain_field(p_event.project_id)
        || chain_field(p_event.topic)
        || chain_field(p_event.partition::bigint)
        || chain_field(p_event.partition_prev)
        || chain_field(p_event.event_type)
        || chain_field(p_event.schema_fingerprint)
        || chain_field(p_event.payload_sha256)
        || chain_field(p_event.actor)
        || chain_field(p_event.command_id)
        || chain_field(p_event.correlation_id)
        || chain_field(p_event.causation_id)
        || chain_field(p_event.idempotency_key)
        || chain_field(p_event.request_sha256)
        || chain_field(p_event.traceparent)
        || chain_field(p_event.occurred_at)
        || chain_field(p_event.recorded_at)
        || p_event.payload_sha256;

create function chain_step(p_hash bytea, p_before bytea, p_link bytea) returns bytea
    language sql immutable parallel safe
    return sha256(coalesce(p_hash, p_before) || p_link);

-- Answers, over events in the order of their positions, each event's hash; p_before is the hash before the first.
create aggregate chain(p_before bytea, p_link bytea) (
    sfunc = chain_step,
    stype = bytea
);

create type append_outcome as (
    command integer,
    kind text, -- appended, conflict, duplicate, repeated (this very command was appended before), reserved
    position bigint, -- appended, duplicate, repeated: of the command's first event
    stream_id uuid, -- conflict, reserved: the stream that decided it
    expected bigint,
    actual bigint,
    same_request boolean, -- duplicate: the first request had the same hash
    wait_ms integer -- reserved: until the other's turn ends
);

-- Appends a batch of commands in order: each command all or nothing, each by itself.
--
-- A command's events are consecutive in the arrays; streams and (topic, partition) pairs are listed once and
-- referred to by index. One transaction-level lock is held to the commit, so the order of positions is the order of
-- commits and a reader needs no more than "position > cursor". Needs READ COMMITTED: what the lock's previous holder
-- committed must be visible. Indices count from 1.
create function append_events(
    p_process uuid,
    p_first integer[], -- per command: the index of its first event
    p_count integer[], -- per command: the number of its events
    p_reserve boolean[], -- per command: on a conflict, reserve the stream's next turn for p_process
    p_streams uuid[],
    p_categories text[], -- per stream
    p_topics text[], -- per pair
    p_partitions smallint[], -- per pair
    p_stream integer[], -- from here on per event
    p_pair integer[],
    p_event_id uuid[],
    p_version bigint[],
    p_tenant_id uuid[],
    p_project_id uuid[],
    p_event_type text[],
    p_schema_fingerprint bytea[],
    p_payload bytea[],
    p_actor text[],
    p_command_id uuid[],
    p_correlation_id uuid[],
    p_causation_id uuid[],
    p_idempotency_key uuid[],
    p_request_sha256 bytea[],
    p_traceparent text[],
    p_occurred_at timestamptz[]
) returns setof append_outcome
    language plpgsql volatile security definer
    set search_path = dvt, pg_temp
as $$
declare
    c_lock constant bigint := 6583924; -- "dvt" in ASCII: the one lock of the log
    c_turn constant interval := interval '100 milliseconds';
    v_now timestamptz;
    v_position bigint;
    v_hash bytea;
    v_versions bigint[];
    v_reserved integer[]; -- per stream: milliseconds of another process's turn
    v_lost boolean[]; -- per stream: a command of this batch lost on it
    v_pair_heads bigint[];
    v_found bigint[]; -- per command: position of its first event, where it is in the log already
    v_found_here boolean[]; -- per command: found by event id
    v_same_request boolean[];
    v_positions bigint[] := array_fill(null::bigint, array[cardinality(p_event_id)]);
    v_prevs bigint[] := array_fill(null::bigint, array[cardinality(p_event_id)]);
    v_outcomes append_outcome[] := '{}';
    v_appended boolean := false;
    v_last integer;
    v_stream integer;
    v_loser integer;
    v_outcome append_outcome;
begin
    perform pg_advisory_xact_lock(c_lock);
    v_now := clock_timestamp();

    select e.position, e.hash into v_position, v_hash from event e order by e.position desc limit 1;
    v_position := coalesce(v_position, 0);
    v_hash := coalesce(v_hash, decode(repeat('00', 32), 'hex'));

    select
        array_agg(coalesce(h.version, 0) order by s.ordinal),
        array_agg(
            case when h.reserved_by <> p_process and h.reserved_until > v_now
                then ceil(extract(epoch from h.reserved_until - v_now) * 1000)::integer
            end
            order by s.ordinal
        ),
        array_agg(false)
    into v_versions, v_reserved, v_lost
    from unnest(p_streams) with ordinality as s (stream_id, ordinal)
    left join stream_head h on h.stream_id = s.stream_id;

    select array_agg(coalesce(h.position, 0) order by p.ordinal)
    into v_pair_heads
    from unnest(p_topics, p_partitions) with ordinality as p (topic, partition, ordinal)
    left join partition_head h on h.topic = p.topic and h.partition = p.partition;

    select
        array_agg(coalesce(here.position, before.position) order by c.ordinal),
        array_agg(here.position is not null order by c.ordinal),
        array_agg(before.request_sha256 = p_request_sha256[c.first] order by c.ordinal)
    into v_found, v_found_here, v_same_request
    from unnest(p_first) with ordinality as c (first, ordinal)
    left join event here on here.event_id = p_event_id[c.first]
    left join event before
        on before.idempotency_key is not null
        and before.actor = p_actor[c.first]
        and before.idempotency_key = p_idempotency_key[c.first];

    for v_command in 1 .. cardinality(p_first) loop
        v_last := p_first[v_command] + p_count[v_command] - 1;
        v_outcome := null;
        v_loser := null;

        if v_found_here[v_command] then
            v_outcome.kind := 'repeated';
            v_outcome.position := v_found[v_command];
        elsif v_found[v_command] is not null then
            v_outcome.kind := 'duplicate';
            v_outcome.position := v_found[v_command];
            v_outcome.same_request := v_same_request[v_command];
            v_loser := v_last;
        else
            for v_event in p_first[v_command] .. v_last loop
                v_stream := p_stream[v_event];
                if v_lost[v_stream] or v_reserved[v_stream] is not null
                    or p_version[v_event] <> v_versions[v_stream] + 1
                then
                    v_loser := v_event;
                    exit;
                end if;
                v_versions[v_stream] := v_versions[v_stream] + 1;
            end loop;
            if v_loser is null then
                v_outcome.kind := 'appended';
                v_outcome.position := v_position + 1;
                v_appended := true;
                for v_event in p_first[v_command] .. v_last loop
                    v_position := v_position + 1;
                    v_positions[v_event] := v_position;
                    v_prevs[v_event] := v_pair_heads[p_pair[v_event]];
                    v_pair_heads[p_pair[v_event]] := v_position;
                end loop;
            else
                -- Takes back what this command's earlier events added.
                for v_event in p_first[v_command] .. v_loser - 1 loop
                    v_versions[p_stream[v_event]] := v_versions[p_stream[v_event]] - 1;
                end loop;
                v_stream := p_stream[v_loser];
                v_outcome.stream_id := p_streams[v_stream];
                v_outcome.actual := v_versions[v_stream];
                v_outcome.wait_ms := v_reserved[v_stream];
                v_outcome.kind := case when v_reserved[v_stream] is null then 'conflict' else 'reserved' end;
                select min(e.version) - 1 into v_outcome.expected
                from unnest(
                    p_stream[p_first[v_command]:v_last], p_version[p_first[v_command]:v_last]
                ) as e (stream, version)
                where e.stream = v_stream;
                if p_reserve[v_command] and v_outcome.kind = 'conflict' then
                    update stream_head h
                    set reserved_by = p_process, reserved_until = v_now + c_turn
                    where h.stream_id = v_outcome.stream_id;
                end if;
            end if;
        end if;

        if v_loser is not null then
            -- Later commands of these streams were decided on what this one would have left.
            for v_event in p_first[v_command] .. v_last loop
                v_lost[p_stream[v_event]] := true;
            end loop;
        end if;
        v_outcome.command := v_command;
        v_outcomes := v_outcomes || v_outcome;
    end loop;

    if v_appended then
        insert into event
        select
            r.position, r.event_id, r.category, r.stream_id, r.version, r.tenant_id, r.project_id, r.topic,
            r.partition, r.partition_prev, r.event_type, r.schema_fingerprint, r.payload, r.payload_sha256, r.actor,
            r.command_id, r.correlation_id, r.causation_id, r.idempotency_key, r.request_sha256, r.traceparent,
            r.occurred_at, r.recorded_at,
            chain(v_hash, chain_link(row(r.*)::event)) over (order by r.position)
        from (
            select
                e.position, e.event_id, p_categories[e.stream] as category, p_streams[e.stream] as stream_id,
                e.version, e.tenant_id, e.project_id, p_topics[e.pair] as topic, p_partitions[e.pair] as partition,
                e.partition_prev, e.event_type, e.schema_fingerprint, e.payload, sha256(e.payload) as payload_sha256,
                e.actor, e.command_id, e.correlation_id, e.causation_id, e.idempotency_key, e.request_sha256,
                e.traceparent, e.occurred_at, v_now as recorded_at, null::bytea as hash
            from unnest(
                v_positions, v_prevs, p_stream, p_pair, p_event_id, p_version, p_tenant_id, p_project_id,
                p_event_type, p_schema_fingerprint, p_payload, p_actor, p_command_id, p_correlation_id,
                p_causation_id, p_idempotency_key, p_request_sha256, p_traceparent, p_occurred_at
            ) as e (
                position, partition_prev, stream, pair, event_id, version, tenant_id, project_id,
                event_type, schema_fingerprint, payload, actor, command_id, correlation_id,
                causation_id, idempotency_key, request_sha256, traceparent, occurred_at
            )
            where e.position is not null
            offset 0 -- a fence: payload_sha256 is computed once
        ) as r;

        insert into stream_head as h (stream_id, category, version)
        select s.stream_id, s.category, s.version
        from unnest(p_streams, p_categories, v_versions) as s (stream_id, category, version)
        where s.version > 0
        on conflict (stream_id) do update
            set version = excluded.version, reserved_by = null, reserved_until = null
            where h.version < excluded.version;

        insert into partition_head as h (topic, partition, position, recorded_at)
        select p.topic, p.partition, p.position, v_now
        from unnest(p_topics, p_partitions, v_pair_heads) as p (topic, partition, position)
        where p.position > 0
        on conflict (topic, partition) do update
            set position = excluded.position, recorded_at = excluded.recorded_at
            where h.position < excluded.position;

        notify dvt_log;
    end if;

    return query select * from unnest(v_outcomes);
end
$$;

-- Nulls the payload of an event whose stream says so: a PayloadErased that names the event as its cause. The chain
-- covers the payload's hash only, so it still verifies.
create function erase_payload(p_event_id uuid) returns void
    language plpgsql volatile security definer
    set search_path = dvt, pg_temp
as $$
begin
    if not exists (
        select from event erased
        join event erasure on erasure.stream_id = erased.stream_id
        where erased.event_id = p_event_id
            and erasure.causation_id = p_event_id
            and erasure.event_type = 'PayloadErased'
    ) then
        raise exception 'could not erase the payload of %: its stream has no PayloadErased for it', p_event_id
            using errcode = 'restrict_violation', constraint = 'event_erasure_recorded';
    end if;
    perform set_config('dvt.erasing', p_event_id::text, true);
    update event set payload = null where event_id = p_event_id;
    perform set_config('dvt.erasing', '', true);
end
$$;

create function refuse_change() returns trigger
    language plpgsql
    set search_path = dvt, pg_temp
as $$
declare
    v_expected event;
begin
    if tg_op = 'UPDATE' and current_setting('dvt.erasing', true) = old.event_id::text then
        v_expected := old;
        v_expected.payload := null;
        if new is not distinct from v_expected then
            return new;
        end if;
    end if;
    raise exception 'the event log is append-only: % is refused', lower(tg_op)
        using errcode = 'restrict_violation', constraint = 'event_append_only';
end
$$;

create trigger event_append_only before update or delete on event for each row execute function refuse_change();
create trigger event_append_only_truncate before truncate on event for each statement execute function refuse_change();
-- Also where a session replays as a replica, which skips plain triggers.
alter table event enable always trigger event_append_only;
alter table event enable always trigger event_append_only_truncate;

revoke all on function append_events from public;
revoke all on function erase_payload from public;
grant execute on function append_events to dvt_gateway, dvt_executor, dvt_artifact;
grant select on event, stream_head, partition_head to dvt_gateway, dvt_projector, dvt_executor, dvt_artifact, dvt_relay;
reset role;
reset search_path;
