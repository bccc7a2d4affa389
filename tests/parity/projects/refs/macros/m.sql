{% macro from_macro(name) %}{{ ref(name) }}{% endmacro %}
{% macro wrap(relation) %}(select * from {{ relation }}) as wrapped{% endmacro %}
