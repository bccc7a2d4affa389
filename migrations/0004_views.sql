-- Views: functions of the events of one topic each, project by project. All derived: `projector rebuild` makes them again.
--
-- They live in a schema of the projector's own, so that it can build them anew beside the old ones and swap.
create schema views authorization dvt_projector;
create schema views_next authorization dvt_projector;
set local role dvt_projector;
set local search_path = views;
grant usage on schema views to dvt_owner, dvt_gateway, dvt_executor, dvt_artifact;

-- Of topic dvt.project.

create table project (
    project_id uuid not null,
    name text not null,
    root text not null,
    repository_url text, -- null: not linked to a repository
    repository_branch text, -- null: as repository_url
    created_by text not null,
    created_at timestamptz not null,
    version bigint not null,
    position bigint not null, -- of the project stream's last event
    constraint project_pkey primary key (project_id)
);

create table branch (
    branch_id uuid not null,
    project_id uuid not null,
    layout_id uuid not null,
    name text not null,
    created_position bigint not null, -- the first branch of a project is the one that reads and edits go to
    version bigint not null, -- 0: no event of its own yet
    position bigint not null,
    edited_by text, -- null: no event of its own yet
    edited_at timestamptz, -- null: as edited_by
    edit_summary text, -- null: as edited_by
    constraint branch_pkey primary key (branch_id)
);
create index branch_project_id_idx on branch (project_id, created_position);

create table environment (
    project_id uuid not null,
    name text not null,
    target text not null,
    adapter text not null,
    database text not null,
    schema text not null,
    threads integer not null,
    vars text not null, -- a JSON object
    env text not null, -- a JSON object of strings
    position bigint not null,
    constraint environment_pkey primary key (project_id, name)
);

-- A node's identity where it is not its unique_id: it moved here, or the name was another node's before.
create table node_identity (
    branch_id uuid not null,
    unique_id text not null,
    node_key text not null,
    constraint node_identity_pkey primary key (branch_id, unique_id)
);

create table subject (
    branch_id uuid not null,
    node_key text not null,
    position bigint not null,
    property text not null,
    constraint subject_pkey primary key (branch_id, node_key, position, property)
);

-- The graph of each branch for the environment `dev`: a function of its files at `version`.
create table graph (
    branch_id uuid not null,
    version bigint not null,
    position bigint not null,
    errors integer not null,
    warnings integer not null,
    constraint graph_pkey primary key (branch_id)
);

create table node (
    branch_id uuid not null,
    ordinal integer not null, -- a broken project can hold one unique_id twice
    unique_id text not null,
    node_key text not null,
    name text not null,
    resource_type text not null,
    package text not null,
    path text not null,
    source_name text, -- null: not a source
    materialized text, -- null: not something that is built
    database text, -- null: has no relation
    schema text, -- null: has no relation
    alias text, -- null: has no relation
    description text not null,
    tags text[] not null,
    tests integer not null,
    errors integer not null,
    warnings integer not null,
    constraint node_pkey primary key (branch_id, ordinal)
);
create index node_branch_id_unique_id_idx on node (branch_id, unique_id);

create table edge (
    branch_id uuid not null,
    parent integer not null, -- ordinals of nodes
    child integer not null,
    constraint edge_pkey primary key (branch_id, parent, child)
);

create table diagnostic (
    branch_id uuid not null,
    ordinal integer not null,
    severity text not null,
    code text not null,
    message text not null,
    path text, -- null: of no place
    line integer, -- null: as path
    "column" integer, -- null: as path
    unique_id text, -- null: of no node
    constraint diagnostic_pkey primary key (branch_id, ordinal)
);

-- Of topic dvt.compilation.

create table compilation (
    compilation_id uuid not null,
    project_id uuid not null,
    branch_id uuid not null,
    branch_version bigint not null,
    project_version bigint not null,
    environment text not null,
    state text not null,
    artifact bytea, -- null: not compiled
    compiled integer not null default 0,
    deferred integer not null default 0,
    broken integer not null default 0,
    code text, -- null: did not fail
    message text, -- null: did not fail
    requested_by text not null,
    requested_at timestamptz not null,
    finished_at timestamptz, -- null: not finished
    publish_state text, -- null: nobody asked to publish it
    publish_message text, -- null: as publish_state
    publish_requested_at timestamptz, -- null: as publish_state
    published_at timestamptz, -- null: not published
    commit text, -- null: not published
    artifacts_commit text, -- null: not published, or nothing compiled
    superseded_by bigint, -- null: not superseded
    version bigint not null,
    position bigint not null,
    constraint compilation_pkey primary key (compilation_id),
    constraint compilation_state_check check (state in ('requested', 'compiled', 'failed')),
    constraint compilation_publish_state_check check (publish_state in ('pending', 'published', 'superseded'))
);
create index compilation_project_id_position_idx on compilation (project_id, requested_at);

create table compilation_node (
    compilation_id uuid not null,
    unique_id text not null,
    state text not null, -- deferred or broken; all others are compiled
    code text, -- null: not broken
    message text, -- null: no reason given
    path text, -- null: of no place
    line integer, -- null: as path
    "column" integer, -- null: as path
    constraint compilation_node_pkey primary key (compilation_id, unique_id)
);

-- Of topic dvt.run.

create table run (
    run_id uuid not null,
    project_id uuid not null,
    number bigint not null, -- from 1 in its project
    branch_id uuid not null,
    branch_version bigint not null,
    project_version bigint not null,
    environment text not null,
    compilation_id uuid not null,
    kind text not null,
    "select" text not null,
    exclude text not null,
    full_refresh boolean not null,
    threads integer not null,
    state text not null,
    outcome text, -- null: not finished
    message text, -- null: nothing to say
    cancel_requested_at timestamptz, -- null: nobody asked to cancel it
    requested_by text not null,
    requested_at timestamptz not null,
    started_at timestamptz, -- null: not started
    finished_at timestamptz, -- null: not finished
    version bigint not null,
    position bigint not null,
    constraint run_pkey primary key (run_id),
    constraint run_project_id_number_key unique (project_id, number),
    constraint run_state_check check (state in ('requested', 'planned', 'running', 'finished'))
);

create table step (
    run_id uuid not null,
    ordinal integer not null, -- in the order of the plan
    unique_id text not null,
    name text not null,
    resource_type text not null,
    materialized text, -- null: not something that is built
    relation text, -- null: has no relation
    reason text not null, -- why it runs, or why it was skipped
    state text not null,
    attempt integer not null default 0,
    warned boolean not null default false,
    rows bigint, -- null: not said
    failures bigint, -- null: not a test
    message text, -- null: not ended
    code text, -- null: did not fail
    sqlstate text, -- null: not an error of the database
    path text, -- null: of no place
    line integer, -- null: as path
    "column" integer, -- null: as path
    sql_sha256 bytea, -- null: sends none
    started_at timestamptz, -- null: not started
    finished_at timestamptz, -- null: not ended
    duration_us bigint, -- null: not ended
    constraint step_pkey primary key (run_id, ordinal),
    constraint step_run_id_unique_id_key unique (run_id, unique_id),
    constraint step_state_check check (
        state in ('pending', 'running', 'succeeded', 'failed', 'unknown', 'skipped', 'cancelled')
    )
);

-- Answers a hash of every view in a schema: over its rows, every column, in the order of their text (keys come first).
create function hashes(p_schema text) returns table (view_name text, view_hash bytea)
    language plpgsql stable
    set timezone = 'UTC'
    set search_path = pg_catalog, pg_temp
as $$
begin
    for view_name in
        select t.tablename::text from pg_tables t where t.schemaname = p_schema order by t.tablename
    loop
        execute format(
            'select sha256(convert_to(coalesce(string_agg(r::text, chr(10) order by r::text collate "C"), ''''), ''UTF8'')) from %I.%I r',
            p_schema, view_name
        ) into view_hash;
        return next;
    end loop;
end
$$;

-- Makes every view again, empty, in views_next.
create function start_rebuild() returns void
    language plpgsql volatile
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_view text;
begin
    for v_view in select t.tablename::text from pg_tables t where t.schemaname = 'views' loop
        execute format('drop table if exists views_next.%I', v_view);
        execute format('create table views_next.%I (like views.%I including all)', v_view, v_view);
        execute format('grant select on views_next.%I to dvt_owner, dvt_gateway, dvt_executor, dvt_artifact', v_view);
    end loop;
end
$$;

-- Puts the views of views_next in the place of the old ones.
create function finish_rebuild() returns void
    language plpgsql volatile
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_view text;
begin
    for v_view in select t.tablename::text from pg_tables t where t.schemaname = 'views_next' loop
        execute format('drop table views.%I', v_view);
        execute format('alter table views_next.%I set schema views', v_view);
    end loop;
end
$$;

grant select on all tables in schema views to dvt_owner, dvt_gateway, dvt_executor, dvt_artifact;
reset role;
reset search_path;
