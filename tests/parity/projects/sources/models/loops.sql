{% for table in ['events', 'sessions'] %}
select * from {{ source('jinja', table) }}{{ ' union all' if not loop.last }}
{% endfor %}
