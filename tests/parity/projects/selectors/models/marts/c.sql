{{ config(materialized='table', tags=['nightly', 'core']) }}
select * from {{ ref('stg_a') }} join {{ ref('stg_b') }} using (id)
