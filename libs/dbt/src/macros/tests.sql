{# The four tests every project has, and what they share. The text they give is dbt's, to the byte. #}

{% test unique(model, column_name) %}
    {# a database may have its own #}
    {{ adapter.dispatch('test_unique', 'dbt')(model, column_name) }}
{% endtest %}

{% macro default__test_unique(model, column_name) -%}
{{ '\n\nselect\n    ' ~ column_name ~ ' as unique_field,\n    count(*) as n_records\n\nfrom ' ~ model }}
{{- '\nwhere ' ~ column_name ~ ' is not null\ngroup by ' ~ column_name ~ '\nhaving count(*) > 1\n\n' }}
{%- endmacro %}

{% test not_null(model, column_name) %}
    {# a database may have its own #}
    {{ adapter.dispatch('test_not_null', 'dbt')(model, column_name) }}
{% endtest %}

{% macro default__test_not_null(model, column_name) -%}
{%- set selected = '*' if should_store_failures() else column_name -%}
{{ '\n\n\n\nselect ' ~ selected ~ '\nfrom ' ~ model ~ '\nwhere ' ~ column_name ~ ' is null\n\n' }}
{%- endmacro %}

{% test accepted_values(model, column_name, values, quote=True) %}
    {# a database may have its own #}
    {{ adapter.dispatch('test_accepted_values', 'dbt')(model, column_name, values, quote) }}
{% endtest %}

{% macro default__test_accepted_values(model, column_name, values, quote=True) -%}
{%- set mark = "'" if quote else '' -%}
{{ '\n\nwith all_values as (\n\n    select\n        ' ~ column_name ~ ' as value_field,\n        count(*) as n_records\n\n' }}
{{- '    from ' ~ model ~ '\n    group by ' ~ column_name ~ '\n\n)\n\nselect *\nfrom all_values\nwhere value_field not in (\n    ' }}
{%- for value in values -%}
{{ mark ~ value ~ mark }}{{ '' if loop.last else ',' }}
{%- endfor -%}
{{ '\n)\n\n' }}
{%- endmacro %}

{% test relationships(model, column_name, to, field) %}
    {# a database may have its own #}
    {{ adapter.dispatch('test_relationships', 'dbt')(model, column_name, to, field) }}
{% endtest %}

{% macro default__test_relationships(model, column_name, to, field) -%}
{{ '\n\nwith child as (\n    select ' ~ column_name ~ ' as from_field\n    from ' ~ model ~ '\n    where ' ~ column_name ~ ' is not null\n),\n\n' }}
{{- 'parent as (\n    select ' ~ field ~ ' as to_field\n    from ' ~ to ~ '\n)\n\nselect\n    from_field\n\nfrom child\n' }}
{{- 'left join parent\n    on child.from_field = parent.to_field\n\nwhere parent.to_field is null\n\n' }}
{%- endmacro %}

{% macro get_where_subquery(relation) -%}
{%- do return(adapter.dispatch('get_where_subquery', 'dbt')(relation)) -%}
{%- endmacro %}

{% macro default__get_where_subquery(relation) -%}
{%- set condition = config.get('where', '') -%}
{%- do return('(select * from ' ~ relation ~ ' where ' ~ condition ~ ') dbt_subquery' if condition else relation) -%}
{%- endmacro %}

{% macro should_store_failures() %}
{%- set asked = config.get('store_failures') -%}
{%- do return(flags.STORE_FAILURES if asked is none else asked) -%}
{% endmacro %}

{% macro should_full_refresh() %}
{%- set asked = config.get('full_refresh') -%}
{%- do return(flags.FULL_REFRESH if asked is none else asked) -%}
{% endmacro %}

{% macro is_incremental() %}
{%- do return(__is_incremental()) -%}
{% endmacro %}
