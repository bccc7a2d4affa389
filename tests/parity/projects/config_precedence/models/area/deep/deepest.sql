{{ config(tags='single') }}
select * from {{ ref('from_config') }}
