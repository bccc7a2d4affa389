{{ config(materialized='ephemeral') }}
select m.middle_id, b.id from {{ ref('middle') }} m join {{ ref('base') }} b on true
