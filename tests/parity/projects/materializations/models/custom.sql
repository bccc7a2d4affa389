{{ config(materialized='own_table') }}
select 1 as id
