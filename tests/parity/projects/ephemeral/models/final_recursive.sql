with recursive counted as (
    select id from {{ ref('base') }}
    union all
    select id + 1 from counted where id < 3
)
select * from counted
