{{ config(enabled=false) }}
select * from {{ ref('live') }}
