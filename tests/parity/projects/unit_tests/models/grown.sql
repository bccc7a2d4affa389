{{ config(materialized='incremental', unique_key='id') }}
select id, name, {{ var('factor', 2) }} * id as scaled, '{{ shout("x") }}' as shouted
from {{ ref('hidden') }}
{% if is_incremental() %} where id > (select max(id) from {{ this }}) {% endif %}
