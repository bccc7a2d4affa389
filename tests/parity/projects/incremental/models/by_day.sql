{{ config(materialized='incremental', unique_key=['id', 'at'], incremental_strategy='delete+insert', full_refresh=false, indexes=[{'columns': ['id'], 'unique': true}]) }}
{% set since = '2020-01-01' if not is_incremental() else '2025-01-01' %}
select * from {{ ref('events') }} where at > '{{ since }}'
