{% macro lib_macro() %}1{% endmacro %}
