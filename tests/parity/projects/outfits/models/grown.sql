{{ config(materialized='incremental', grants={'+select': ['public'], 'update': 'public'}) }}
select id from {{ ref('kept') }}
