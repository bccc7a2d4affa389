{{ config(materialized='table') }}
select 1.555 as price, n as id, 'a'::text as kind, now()::date as day from generate_series(1, 3) as n -- depends on kinds {{ ref('kinds') }}
