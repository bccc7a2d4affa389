-- An append of one event spent two thirds of its time on plans: its arrays' lengths made each call be planned anew, and SQL
-- functions are planned in each statement that calls them. Plans that do not look at the lengths are kept, as are those
-- of PL/pgSQL. A plan that is made while a table is small must be one for a large table: rows are looked up by their keys,
-- never found by reading all. The functions answer what they did.
set local role dvt_owner;
set local search_path = dvt;

alter function append_events set plan_cache_mode = force_generic_plan;
alter function append_events set enable_seqscan = off;
alter function append_events set enable_hashjoin = off;
alter function append_events set enable_mergejoin = off;

create or replace function chain_link(p_event event) returns bytea
    language plpgsql stable parallel safe
as $$
begin
    return dvt.chain_field(p_event.position)
        || dvt.chain_field(p_event.event_id)
        || dvt.chain_field(p_event.category)
        || dvt.chain_field(p_event.stream_id)
        || dvt.chain_field(p_event.version)
        || dvt.chain_field(p_event.tenant_id)
        || dvt.chain_field(p_event.project_id)
        || dvt.chain_field(p_event.topic)
        || dvt.chain_field(p_event.partition::bigint)
        || dvt.chain_field(p_event.partition_prev)
        || dvt.chain_field(p_event.event_type)
        || dvt.chain_field(p_event.schema_fingerprint)
        || dvt.chain_field(p_event.payload_sha256)
        || dvt.chain_field(p_event.actor)
        || dvt.chain_field(p_event.command_id)
        || dvt.chain_field(p_event.correlation_id)
        || dvt.chain_field(p_event.causation_id)
        || dvt.chain_field(p_event.idempotency_key)
        || dvt.chain_field(p_event.request_sha256)
        || dvt.chain_field(p_event.traceparent)
        || dvt.chain_field(p_event.occurred_at)
        || dvt.chain_field(p_event.recorded_at)
        || p_event.payload_sha256;
end
$$;

create or replace function chain_step(p_hash bytea, p_before bytea, p_link bytea) returns bytea
    language plpgsql immutable parallel safe
as $$
begin
    return sha256(coalesce(p_hash, p_before) || p_link);
end
$$;

reset role;
reset search_path;
