-- A stream's turn lasts as long as its holder's decision, and ends with what the holder appends: 100 ms were shorter
-- than some decisions, and who had lost twice lost again. The function is 0001's but for c_turn and for what a command
-- hears that stood behind a loser.
set local role dvt_owner;
set local search_path = dvt;

-- Appends a batch of commands in order: each command all or nothing, each by itself.
--
-- A command's events are consecutive in the arrays; streams and (topic, partition) pairs are listed once and
-- referred to by index. One transaction-level lock is held to the commit, so the order of positions is the order of
-- commits and a reader needs no more than "position > cursor". Needs READ COMMITTED: what the lock's previous holder
-- committed must be visible. Indices count from 1.
create or replace function append_events(
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
    -- Longer than a decision takes; it ends with the holder's append, so nobody waits this long but for a dead one.
    c_turn constant interval := interval '3 seconds';
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
                v_outcome.wait_ms := v_reserved[v_stream];
                v_outcome.kind := case when v_reserved[v_stream] is null then 'conflict' else 'reserved' end;
                select min(e.version) - 1 into v_outcome.expected
                from unnest(
                    p_stream[p_first[v_command]:v_last], p_version[p_first[v_command]:v_last]
                ) as e (stream, version)
                where e.stream = v_stream;
                -- Whoever only stood behind a loser has not lost itself.
                v_outcome.actual := case when v_lost[v_stream] then v_outcome.expected else v_versions[v_stream] end;
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

-- Ends a process's turn on a stream to which it has nothing to append after all.
create function release_turn(p_process uuid, p_stream_id uuid) returns void
    language sql volatile security definer
    set search_path = dvt, pg_temp
    begin atomic
        update stream_head
        set reserved_by = null, reserved_until = null
        where stream_id = p_stream_id and reserved_by = p_process;
    end;

revoke all on function release_turn from public;
grant execute on function release_turn to dvt_gateway, dvt_executor, dvt_artifact;
reset role;
reset search_path;
