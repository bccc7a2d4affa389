{% snapshot orders_snapshot %}
{{ config(target_schema='history', unique_key='id', strategy='timestamp', updated_at='updated_at') }}
select * from {{ ref('orders') }}
{% endsnapshot %}

{% snapshot orders_check %}
    {{ config(unique_key='id', strategy='check', check_cols=['status', 'id'], schema='checks', tags=['snap']) }}
    select * from {{ source('shop', 'orders') }}
{% endsnapshot %}
