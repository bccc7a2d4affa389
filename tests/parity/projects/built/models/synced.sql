{{ config(materialized="incremental", on_schema_change="sync_all_columns") }}
select 1 as id, {% if is_incremental() %} 2 as kept_2 {% else %} 1 as kept_1 {% endif %}
