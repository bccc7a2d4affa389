{{ config(materialized='table') }} select id, name as "Name" from {{ ref('people') }}
