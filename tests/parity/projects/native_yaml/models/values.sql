select 1 as a
-- {% if execute %}{{ model.config.meta.text_as_number + 1 }} {{ model.config.meta }}{% endif %}
