{% macro config_of_project() %}{{ return(builtins.ref.config) }}{% endmacro %}
