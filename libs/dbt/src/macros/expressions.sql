{# SQL expressions that differ between databases: each goes through dispatch, so that a project can give its own. #}

{% macro any_value(expression) -%}
{%- do return(adapter.dispatch('any_value', 'dbt')(expression)) -%}
{%- endmacro %}

{% macro default__any_value(expression) -%}
{{ 'any_value(' ~ expression ~ ')' }}
{%- endmacro %}

{% macro array_append(array, new_element) -%}
{%- do return(adapter.dispatch('array_append', 'dbt')(array, new_element)) -%}
{%- endmacro %}

{% macro default__array_append(array, new_element) -%}
{{ 'array_append(' ~ array ~ ', ' ~ new_element ~ ')' }}
{%- endmacro %}

{% macro array_concat(array_1, array_2) -%}
{%- do return(adapter.dispatch('array_concat', 'dbt')(array_1, array_2)) -%}
{%- endmacro %}

{% macro default__array_concat(array_1, array_2) -%}
{{ 'array_cat(' ~ array_1 ~ ', ' ~ array_2 ~ ')' }}
{%- endmacro %}

{% macro array_construct(inputs=[], data_type=api.Column.translate_type('integer')) -%}
{%- do return(adapter.dispatch('array_construct', 'dbt')(inputs, data_type)) -%}
{%- endmacro %}

{% macro default__array_construct(inputs, data_type) -%}
{{ '\n    array[ ' ~ inputs | join(' , ') ~ ' ]\n    ' if inputs else '\n    array[]::' ~ data_type ~ '[]\n    ' }}
{%- endmacro %}

{% macro bool_or(expression) -%}
{%- do return(adapter.dispatch('bool_or', 'dbt')(expression)) -%}
{%- endmacro %}

{% macro default__bool_or(expression) -%}
{{ 'bool_or(' ~ expression ~ ')' }}
{%- endmacro %}

{% macro cast(field, type) -%}
{%- do return(adapter.dispatch('cast', 'dbt')(field, type)) -%}
{%- endmacro %}

{% macro default__cast(field, type) -%}
{{ '\n    cast(' ~ field ~ ' as ' ~ type ~ ')\n' }}
{%- endmacro %}

{% macro cast_bool_to_text(field) %}
  {{ adapter.dispatch('cast_bool_to_text', 'dbt')(field) }}
{% endmacro %}

{% macro default__cast_bool_to_text(field) -%}
{{ '\n    cast(' ~ field ~ ' as ' ~ api.Column.translate_type('string') ~ ')\n' }}
{%- endmacro %}

{% macro concat(fields) -%}
{%- do return(adapter.dispatch('concat', 'dbt')(fields)) -%}
{%- endmacro %}

{% macro default__concat(fields) -%}
{{ fields | join(' || ') }}
{%- endmacro %}

{% macro type_string() -%}
{%- do return(adapter.dispatch('type_string', 'dbt')()) -%}
{%- endmacro %}

{% macro default__type_string() -%}
{%- do return(api.Column.translate_type('string')) -%}
{%- endmacro %}

{% macro type_timestamp() -%}
{%- do return(adapter.dispatch('type_timestamp', 'dbt')()) -%}
{%- endmacro %}

{% macro default__type_timestamp() -%}
{%- do return(api.Column.translate_type('timestamp')) -%}
{%- endmacro %}

{% macro type_float() -%}
{%- do return(adapter.dispatch('type_float', 'dbt')()) -%}
{%- endmacro %}

{% macro default__type_float() -%}
{%- do return(api.Column.translate_type('float')) -%}
{%- endmacro %}

{% macro type_numeric() -%}
{%- do return(adapter.dispatch('type_numeric', 'dbt')()) -%}
{%- endmacro %}

{% macro default__type_numeric() -%}
{%- do return(api.Column.numeric_type('numeric', 28, 6)) -%}
{%- endmacro %}

{% macro type_bigint() -%}
{%- do return(adapter.dispatch('type_bigint', 'dbt')()) -%}
{%- endmacro %}

{% macro default__type_bigint() -%}
{%- do return(api.Column.translate_type('bigint')) -%}
{%- endmacro %}

{% macro type_int() -%}
{%- do return(adapter.dispatch('type_int', 'dbt')()) -%}
{%- endmacro %}

{% macro default__type_int() -%}
{%- do return(api.Column.translate_type('integer')) -%}
{%- endmacro %}

{% macro type_boolean() -%}
{%- do return(adapter.dispatch('type_boolean', 'dbt')()) -%}
{%- endmacro %}

{% macro default__type_boolean() -%}
{%- do return(api.Column.translate_type('boolean')) -%}
{%- endmacro %}

{% macro equals(expr1, expr2) -%}
{%- do return(adapter.dispatch('equals', 'dbt')(expr1, expr2)) -%}
{%- endmacro %}

{% macro default__equals(expr1, expr2) -%}
{{ '(' ~ expr1 ~ ' = ' ~ expr2 ~ ')' }}
{%- endmacro %}

{% macro escape_single_quotes(expression) -%}
{%- do return(adapter.dispatch('escape_single_quotes', 'dbt')(expression)) -%}
{%- endmacro %}

{% macro default__escape_single_quotes(expression) -%}
{{ (expression | string).replace("'", "''") }}
{%- endmacro %}

{% macro except() -%}
{%- do return(adapter.dispatch('except', 'dbt')()) -%}
{%- endmacro %}

{% macro default__except() -%}
{{ '\n\n    except\n\n' }}
{%- endmacro %}

{% macro intersect() -%}
{%- do return(adapter.dispatch('intersect', 'dbt')()) -%}
{%- endmacro %}

{% macro default__intersect() -%}
{{ '\n\n    intersect\n\n' }}
{%- endmacro %}

{% macro hash(field) -%}
{%- do return(adapter.dispatch('hash', 'dbt')(field)) -%}
{%- endmacro %}

{% macro default__hash(field) -%}
{{ 'md5(cast(' ~ field ~ ' as ' ~ api.Column.translate_type('string') ~ '))' }}
{%- endmacro %}

{% macro length(expression) -%}
{%- do return(adapter.dispatch('length', 'dbt')(expression)) -%}
{%- endmacro %}

{% macro default__length(expression) -%}
{{ '\n\n    length(\n        ' ~ expression ~ '\n    )' }}
{%- endmacro %}

{% macro string_literal(value) -%}
{%- do return(adapter.dispatch('string_literal', 'dbt')(value)) -%}
{%- endmacro %}

{% macro default__string_literal(value) -%}
{{ "'" ~ value ~ "'" }}
{%- endmacro %}

{% macro position(substring_text, string_text) -%}
{%- do return(adapter.dispatch('position', 'dbt')(substring_text, string_text)) -%}
{%- endmacro %}

{% macro default__position(substring_text, string_text) -%}
{{ '\n\n    position(\n        ' ~ substring_text ~ ' in ' ~ string_text ~ '\n    )' }}
{%- endmacro %}

{% macro replace(field, old_chars, new_chars) -%}
{%- do return(adapter.dispatch('replace', 'dbt')(field, old_chars, new_chars)) -%}
{%- endmacro %}

{% macro default__replace(field, old_chars, new_chars) -%}
{{ '\n\n    replace(\n        ' ~ field ~ ',\n        ' ~ old_chars ~ ',\n        ' ~ new_chars ~ '\n    )\n\n\n' }}
{%- endmacro %}

{% macro right(string_text, length_expression) -%}
{%- do return(adapter.dispatch('right', 'dbt')(string_text, length_expression)) -%}
{%- endmacro %}

{% macro default__right(string_text, length_expression) -%}
{{ '\n\n    right(\n        ' ~ string_text ~ ',\n        ' ~ length_expression ~ '\n    )' }}
{%- endmacro %}

{% macro safe_cast(field, type) -%}
{%- do return(adapter.dispatch('safe_cast', 'dbt')(field, type)) -%}
{%- endmacro %}

{% macro default__safe_cast(field, type) -%}
{{ '\n    \n    cast(' ~ field ~ ' as ' ~ type ~ ')\n' }}
{%- endmacro %}

{% macro split_part(string_text, delimiter_text, part_number) -%}
{%- do return(adapter.dispatch('split_part', 'dbt')(string_text, delimiter_text, part_number)) -%}
{%- endmacro %}

{% macro default__split_part(string_text, delimiter_text, part_number) -%}
{{ '\n\n    split_part(\n        ' ~ string_text ~ ',\n        ' ~ delimiter_text ~ ',\n        ' ~ part_number ~ '\n        )\n\n' }}
{%- endmacro %}

{% macro _split_part_negative(string_text, delimiter_text, part_number) -%}
{{ '\n\n    split_part(\n        ' ~ string_text ~ ',\n        ' ~ delimiter_text ~ ',\n          length(' ~ string_text ~ ')\n          - length(\n              replace(' ~ string_text ~ ',  ' ~ delimiter_text ~ ', \'\')\n          ) + 2 + ' ~ part_number ~ '\n        )\n\n' }}
{%- endmacro %}

{% macro listagg(measure, delimiter_text="','", order_by_clause=none, limit_num=none) -%}
{%- do return(adapter.dispatch('listagg', 'dbt')(measure, delimiter_text, order_by_clause, limit_num)) -%}
{%- endmacro %}
