{{ config(schema=env_var('PARITY_SCHEMA')) }}
select
    '{{ env_var("PARITY_SCHEMA") }}' as schema_name,
    {{ env_var('PARITY_NUMBER') | int + 1 }} as number,
    {{ env_var('PARITY_NUMBER') | as_number }} as as_number,
    $${{ env_var('DBT_PARITY_QUOTED') }}$$ as quoted,
    '{{ env_var("PARITY_MISSING", "default") }}' as missing
