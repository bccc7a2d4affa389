select
    {{ dbt.type_string() }}, {{ dbt.type_timestamp() }}, {{ dbt.type_int() }}, {{ dbt.type_bigint() }}, {{ dbt.type_float() }}, {{ dbt.type_numeric() }}, {{ dbt.type_boolean() }},
    {{ type_string() }}, {{ api.Column.translate_type('string') }}, {{ api.Column.numeric_type('numeric', 10, 2) }}, {{ api.Column.string_type(20) }}
