{{ config(materialized="incremental") }}
{% if is_incremental() %}
select max(id) + 1 as id, timestamp '2020-01-02' as at, 'later' as what from {{ this }}
{% else %}
select 1 as id, timestamp '2020-01-01' as at, 'first' as what
{% endif %}
