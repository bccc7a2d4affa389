-- depends_on: {{ ref('raw_passengers') }}
with source as (

    select * from {{ source('booking', 'passengers') }}

),

renamed as (

    select
        id as passenger_id,
        full_name,
        home_city,
        joined_on as joined_date

    from source

)

select * from renamed
