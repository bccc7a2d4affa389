{{ config(materialized='table', schema='own', tags=['own'], meta={'level': 'own', 'extra': 1}, alias='renamed') }}
select * from {{ ref('from_yaml') }}
