-- A job that ends every worker that claims it is given up: its claims are counted whose worker let the lease run out.
set local role dvt_owner;
set local search_path = dvt;

alter table job add column takeovers integer not null default 0;

set local role dvt_projector;
set local search_path = views;

alter table run add column code text; -- null: its steps say how it ended

reset role;
reset search_path;
