{{ config(schema='core') }}
select * from {{ ref('plain') }}
