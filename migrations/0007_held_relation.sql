-- Which run may build a relation of a target: two runs of any projects never build the same one at once.
set local role dvt_owner;
set local search_path = dvt;

create table held_relation (
    target text not null,
    database text not null,
    relation text not null,
    run_id uuid not null, -- a run that has finished holds nothing: the next one takes the row
    constraint held_relation_pkey primary key (target, database, relation)
);
grant select, insert, update on held_relation to dvt_gateway;

reset role;
reset search_path;
