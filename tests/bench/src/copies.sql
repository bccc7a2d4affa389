-- The log of one project, which lies in copies.first, appended again and again: every copy has ids of its own, in columns
-- and payloads, and versions, partitions and chain are as append_events would have made them.
create schema copies;
set search_path = copies, dvt;
set jit = off; -- it takes longer than the copying

create table first (like event);
create table first_snapshot (like snapshot);

create function copied(p_copy bigint, p_id uuid) returns uuid
    language sql immutable strict
    return overlay(overlay(md5(p_copy || '/' || p_id) placing '7' from 13) placing '8' from 17)::uuid;

create function renamed(p_copy bigint, p_payload bytea, p_ids uuid[]) returns bytea
    language plpgsql immutable
as $$
declare
    v_hex text := encode(p_payload, 'hex');
    v_id uuid;
begin
    foreach v_id in array p_ids loop
        v_hex := replace(v_hex, encode(uuid_send(v_id), 'hex'), encode(uuid_send(copied(p_copy, v_id)), 'hex'));
        v_hex := replace(
            v_hex, encode(v_id::text::bytea, 'hex'), encode(copied(p_copy, v_id)::text::bytea, 'hex')
        );
    end loop;
    return decode(v_hex, 'hex');
end
$$;

-- Appends some copies whose events come in turns, as those of projects that are edited at the same time.
create function append(p_first bigint, p_count bigint) returns void
    language sql volatile
as $$
    insert into snapshot (stream_id, version, tree_sha256)
    select copied(copy, stream_id), version, tree_sha256
    from first_snapshot, generate_series(p_first, p_first + p_count - 1) as copy;

    insert into event
    with head as (
        select coalesce(max(position), 0) as position from event
    ),
    stream as (
        select array_agg(distinct stream_id) as ids from first
    ),
    before as (
        select coalesce((select hash from event order by position desc limit 1), decode(repeat('00', 32), 'hex')) as hash
    ),
    copy as (
        select
            head.position + (row_number() over (order by f.position) - 1) as place,
            f as original,
            copied(copy, f.project_id) as project_id,
            event_partition(copied(copy, f.project_id)) as partition,
            copy
        from first f, generate_series(p_first, p_first + p_count - 1) as copy, head
    ),
    link as materialized (
        select
            c.place + 1 as position,
            copied(c.copy, (c.original).event_id) as event_id,
            (c.original).category,
            copied(c.copy, (c.original).stream_id) as stream_id,
            (c.original).version,
            (c.original).tenant_id,
            c.project_id,
            (c.original).topic,
            c.partition,
            coalesce(
                lag(c.place + 1) over (partition by (c.original).topic, c.partition order by c.place),
                (select max(e.position) from event e where e.topic = (c.original).topic and e.partition = c.partition),
                0
            ) as partition_prev,
            (c.original).event_type,
            (c.original).schema_fingerprint,
            case (c.original).category
                when 'branch' then (c.original).payload -- nothing that is done to files names a stream
                else renamed(c.copy, (c.original).payload, s.ids)
            end as payload,
            null::bytea as payload_sha256,
            (c.original).actor,
            copied(c.copy, (c.original).command_id) as command_id,
            copied(c.copy, (c.original).correlation_id) as correlation_id,
            copied(c.copy, (c.original).causation_id) as causation_id,
            null::uuid as idempotency_key,
            null::bytea as request_sha256,
            (c.original).traceparent,
            (c.original).occurred_at,
            (c.original).recorded_at,
            null::bytea as hash
        from copy c, stream s
    ),
    hashed as materialized (
        select
            position, event_id, category, stream_id, version, tenant_id, project_id, topic, partition, partition_prev,
            event_type, schema_fingerprint, payload, sha256(payload) as payload_sha256, actor, command_id,
            correlation_id, causation_id, idempotency_key, request_sha256, traceparent, occurred_at, recorded_at, hash
        from link
    )
    select
        h.position, h.event_id, h.category, h.stream_id, h.version, h.tenant_id, h.project_id, h.topic, h.partition,
        h.partition_prev, h.event_type, h.schema_fingerprint, h.payload, h.payload_sha256, h.actor, h.command_id,
        h.correlation_id, h.causation_id, h.idempotency_key, h.request_sha256, h.traceparent, h.occurred_at,
        h.recorded_at,
        chain(b.hash, chain_link(row(h.*)::event)) over (order by h.position)
    from hashed h, before b;

    insert into stream_head (stream_id, category, version)
    select copied(copy, stream_id), category, max(version)
    from first, generate_series(p_first, p_first + p_count - 1) as copy
    group by 1, 2;
$$;
