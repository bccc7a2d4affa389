-- An operator asks for a parked stream to be tried again, and the consumer, whichever process it runs in, hears of it.
set local role dvt_owner;
set local search_path = dvt;

alter table parked_stream add column retry_requested_at timestamptz; -- null: nobody asked since the last try
grant update on parked_stream to dvt_gateway, dvt_projector, dvt_executor, dvt_artifact;

reset role;
reset search_path;
