{{ config(materialized='table') }} select 'a'::varchar as kind union all select 'b'
