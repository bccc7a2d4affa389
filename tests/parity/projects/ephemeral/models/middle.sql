{{ config(materialized='ephemeral') }}
with renamed as (select id as middle_id from {{ ref('base') }})
select * from renamed
