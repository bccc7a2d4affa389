-- Who looks at which project right now. Nothing is lost with it: each page says again where it is, every few seconds.
set local role dvt_owner;
set local search_path = dvt;

create unlogged table presence (
    project_id uuid not null,
    session_id uuid not null, -- one open page
    actor text not null,
    unique_id text, -- null: on no node
    seen_at timestamptz not null default now(),
    constraint presence_pkey primary key (project_id, session_id)
);
grant select, insert, update, delete on presence to dvt_gateway;

reset role;
reset search_path;
