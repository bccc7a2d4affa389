{{ config(materialized='table') }}
select * from {{ ref('c') }}
