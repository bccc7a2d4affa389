{% macro greet(name) %}{{ return(adapter.dispatch('greet', 'toolbox')(name)) }}{% endmacro %}
{% macro default__greet(name) %}'hello {{ name }}'{% endmacro %}
{% macro shout(name) -%}
    {{ adapter.dispatch('shout', macro_namespace='toolbox')(name) }}
{%- endmacro %}
{% macro default__shout(name) -%} upper('{{ name }}') {%- endmacro %}
{% macro postgres__shout(name) -%} upper('{{ name }} on postgres') {%- endmacro %}
{% macro whoami() %}toolbox{% endmacro %}
{% macro ask_whoami() %}{{ whoami() }} {{ toolbox.whoami() }}{% endmacro %}
{% test is_small(model, column_name, at_most=10) %}
select * from {{ model }} where {{ column_name }} > {{ at_most }}
{% endtest %}
