{{ dbt_utils_like(3) }}
