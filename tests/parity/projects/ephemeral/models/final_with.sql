-- a comment before the with
with own as (select * from {{ ref('upper') }})
, other as (select * from {{ ref('base') }})
select own.* from own cross join other
