{{ config(materialized="incremental", incremental_strategy="merge", unique_key="id") }}
select id, name, {{ "'again'" if is_incremental() else "'new'" }} as turn from {{ ref("people") }}
{% if is_incremental() %} where id <> 2 {% endif %}
