{{ config(materialized='incremental', unique_key='id', incremental_strategy='merge', merge_update_columns=['at'], on_schema_change='append_new_columns') }}
select * from {{ ref('appended') }} {{ 'where false' if should_full_refresh() }}
