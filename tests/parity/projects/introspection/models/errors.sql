{% if 1 == 2 %}{{ exceptions.raise_compiler_error('never') }}{% endif %}
{% do exceptions.warn('a warning') if false %}
select 1 as id
