{# Statements that run while a node compiles. #}

{% macro statement(name=none, fetch_result=false, auto_begin=true, language='sql') -%}
{%- if execute -%}
{%- set answer = __execute(caller()) -%}
{%- if name is not none -%}
{%- do store_result(name, response=answer.response, agate_table=answer.table) -%}
{%- endif -%}
{%- endif -%}
{%- endmacro %}

{% macro run_query(sql) %}
{%- call statement('run_query_statement', fetch_result=true, auto_begin=false) -%}
{{ sql }}
{%- endcall -%}
{%- set answer = load_result('run_query_statement') -%}
{%- do return(answer.table if answer else none) -%}
{% endmacro %}

{% macro noop_statement(name=none, message=none, code=none, rows_affected=none, res=none) -%}
{%- do caller() -%}
{%- if name is not none -%}
{%- do store_raw_result(name, message=message, code=code, rows_affected=rows_affected, agate_table=res) -%}
{%- endif -%}
{%- endmacro %}

{% macro load_relation(relation) %}
{%- do return(load_cached_relation(relation)) -%}
{% endmacro %}

{% macro load_cached_relation(relation) %}
{%- do return(adapter.get_relation(database=relation.database, schema=relation.schema, identifier=relation.identifier)) -%}
{% endmacro %}

{% macro get_or_create_relation(database, schema, identifier, type) %}
{%- set found = adapter.get_relation(database=database, schema=schema, identifier=identifier) -%}
{%- do return([found is not none, found or api.Relation.create(database=database, schema=schema, identifier=identifier, type=type)]) -%}
{% endmacro %}

{% macro get_columns_in_relation(relation) -%}
{%- do return(adapter.get_columns_in_relation(relation)) -%}
{%- endmacro %}

{% macro get_quoted_csv(column_names) %}
{%- set quoted = [] -%}
{%- for name in column_names -%}
{%- do quoted.append(adapter.quote(name)) -%}
{%- endfor -%}
{%- do return(quoted | join(', ')) -%}
{% endmacro %}

{% macro information_schema_name(database) %}
{%- do return(adapter.dispatch('information_schema_name', 'dbt')(database)) -%}
{% endmacro %}

{% macro default__information_schema_name(database) -%}
{{ (database ~ '.' if database else '') ~ 'INFORMATION_SCHEMA' }}
{%- endmacro %}
